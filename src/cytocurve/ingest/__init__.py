"""What comes from outside: archives, images and tables, checked before they are used."""
