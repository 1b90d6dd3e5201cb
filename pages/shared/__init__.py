"""What the pages share: state, the view that follows from page to page, looks, and the widgets that are our own."""
