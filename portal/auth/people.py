"""The signed-in person as Flask-Login wants to see him."""

from __future__ import annotations

from flask_login import UserMixin

from portal.org.actor import Actor


class SignedIn(UserMixin):
    """`current_user` in templates: the actor's fields, and what Flask-Login asks for."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self.id = actor.user_id

    def __getattr__(self, name: str) -> object:
        # Only reached for what is not set here: the actor's own fields.
        return getattr(self.__dict__["actor"], name)
