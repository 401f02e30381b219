"""A watch for training loops that a framework owns: one file for each framework, imported only by who asks for it.

No file of this folder but the one that is named after a library imports that library.
"""
