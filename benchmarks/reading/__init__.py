"""Reading: is what comes out of a file what was measured?"""
