"""The demo company: real listed companies as customers (public facts), everything else invented from a seed."""
