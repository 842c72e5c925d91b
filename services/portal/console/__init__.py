"""The console: pages made here, in which staff make the whole journey.

Every page works by links and forms alone; with the script, pieces of it are fetched and put in place.
"""
