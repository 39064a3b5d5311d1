@"%~dp0modelens.exe" %*
