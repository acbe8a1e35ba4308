"""This package is a partner's spreadsheet: referrals read from CSV and submitted, and referrals written as CSV or JSON Lines.

It runs on the partner's machine and has no other way to the hub than its API. What it says of a file names rows and
columns, never what stands in a cell.
"""
