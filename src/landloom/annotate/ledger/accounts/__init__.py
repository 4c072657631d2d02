"""People: accounts, roles, logins, invitations and the audit trail."""
