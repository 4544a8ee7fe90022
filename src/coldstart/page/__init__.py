"""What runs inside a page of the site: the Python half of its Run buttons. ``site/browser/worker.mjs`` calls it."""
