"""The same pages in two Flask apps, Retinue's and the lesson's, asked for by eight people at once."""
