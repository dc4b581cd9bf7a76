"""What people do in a browser. Pages are drawn here, on the server; scripts only keep them fresh."""
