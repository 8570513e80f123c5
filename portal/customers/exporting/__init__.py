"""The export of lists as XLSX or CSV (R-CUS-8): exactly the columns and filters on the screen, for every list that
names an export permission. Above EXPORT_FREE_ROWS the head of the applicant's department approves first."""
