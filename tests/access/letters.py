"""What groups of people get, one letter each in the order of `stage.ROLES`; see `matrix.py`."""

#         anonymous nora anna ben hanna hector boss audrey admin paula otto
PUBLIC = "ooooooooooo"
STAFF = "loooooooooo"
#: pages of a customer: that it exists is no secret, so 403
RECORD = "l-o-o-o----"
#: what belongs to a customer: nobody else learns whether it exists
HIDDEN = "l?o?o?o????"
#: whoever works with customers, by role
SALES = "l-ooooo----"
#: what belongs to a customer, on pages for whoever works with customers
VIP_RECORD = "l-o?o?o----"
#: heads of departments and executives
LEADERS = "l---ooo----"
#: the customer's own head and executives
HEAD_OF = "l---o-o----"
AUDITOR = "l------o---"
ADMINISTRATOR = "l-------o--"
#: one's own, nobody else's
OWN = "l?o????????"
OWN_SALES = "l-o????----"
