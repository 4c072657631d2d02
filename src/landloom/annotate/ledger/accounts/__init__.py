"""People: accounts, roles, logins, invitations, tokens and the audit trail."""
