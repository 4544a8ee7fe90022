"""What a notebook shows live. Widgets know nothing of the course: they are given what to show and whom to call.

Each has a text twin that says the same (see `coldstart.course.shown`).
"""
