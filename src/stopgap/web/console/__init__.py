"""The console: pages for people, drawn by the server; each works without JavaScript too.

One module a page. A page asks the nouns what a program would ask them through the API, and holds
no rule of its own. Its looks are `static/console.css`, its words `templates/vocabulary.html`.
"""
