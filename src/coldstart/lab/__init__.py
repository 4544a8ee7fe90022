"""Opening the course: the learner's own copies of the notebooks, and the JupyterLab that shows them.

Called by `coldstart lab` and by nothing else.
"""
