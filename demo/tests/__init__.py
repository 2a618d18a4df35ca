"""The demo, tested from the outside, as whoever uses Retinue would test an app of their own."""
