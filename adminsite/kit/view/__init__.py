"""`ResourceView`: a screen over a resource, closed by default, declared in a few columns.

It is one hardened subclass of Flask-Admin's `ModelView`. What Flask-Admin leaves open (inline
edits that ignore permissions, bulk deletes that stop half-way, errors that show SQL, lost
updates) is answered here once, by asking permissions before and `editing` for every change.

It is built in one line of classes, each of which knows only those before it: `Declared`
(attributes), `Asked` (answers a view may override), `Guarded` (who may do what), `Listed`
(the list's columns, statements and rows), `ResourceView` (what Flask-Admin calls).
"""

from adminsite.kit.view.resource import ResourceView

__all__ = ["ResourceView"]
