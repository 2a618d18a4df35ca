"""Admin screens of other packages: their own views of users and follows, set up as docs/admin.md says."""
