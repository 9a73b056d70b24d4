"""
The sandbox's own page, for people: jobs as they move, calls as they come, faults that wait, and buttons that make control calls.

`render` turns the state into HTML, `page.js` asks for that once a second and puts what changed into place. It asks, and is not
told, because jobs move when somebody looks: there is no event that could be sent. The script is ours and no library: what a
library would have to be taught, to replace rows and keep the focus where it is, is most of what there is.
"""
