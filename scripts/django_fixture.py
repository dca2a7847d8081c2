#!/usr/bin/env python3
"""Makes the database of a server of the "Godot Python MMO" tutorial, with real Django.

Usage: django_fixture.py STAGE FILE < users.json

STAGE is what the tables are like:
    lesson2  users with passwords in plain text
    lesson3  and actors with a position
    lesson5  and avatars
    final    the users are Django's own, with hashed passwords
    early    the author's first version, which had things and actors without users

Each user of the JSON list on the standard input has a username and a password, and may have
    x, y, avatar_id     of the actor
    actor: false        no actor at all
    hash: N             the password is stored as pbkdf2_sha256 with N iterations (final: 0 is Django's default)
    raw: TEXT           what the column holds instead of anything made of the password
    is_active, is_staff, is_superuser, date_joined   (final)

Needs Django 3.2 or later (Debian: python3-django).
"""

import importlib
import json
import pathlib
import sys
import tempfile

import django
import django.conf
from django.core.management import call_command

OWN_USER = """
class User(models.Model):
    username = models.CharField(unique=True, max_length=20)
    password = models.CharField(max_length=99)
"""

DJANGO_USER = """
from django.contrib.auth.models import User
"""

ENTITIES = """
class Entity(models.Model):
    name = models.CharField(max_length=100)

class InstancedEntity(models.Model):
    x = models.FloatField()
    y = models.FloatField()
    entity = models.ForeignKey(Entity, on_delete=models.CASCADE)
"""

ACTOR = """
class Actor(models.Model):
    user = models.OneToOneField(User, on_delete=models.CASCADE)
    instanced_entity = models.OneToOneField(InstancedEntity, on_delete=models.CASCADE)
"""

AVATAR = """
    avatar_id = models.IntegerField(default=0)
"""

EARLY = """
class Container(models.Model):
    instanced_entity = models.OneToOneField(InstancedEntity, on_delete=models.CASCADE)

class Actor(models.Model):
    instanced_entity = models.OneToOneField(InstancedEntity, on_delete=models.CASCADE)
    inventory = models.OneToOneField(Container, on_delete=models.CASCADE)
    user = models.OneToOneField(User, null=True, default=None, on_delete=models.DO_NOTHING)
"""

STAGES = {
    "lesson2": [OWN_USER],
    "lesson3": [OWN_USER, ENTITIES, ACTOR],
    "lesson5": [OWN_USER, ENTITIES, ACTOR + AVATAR],
    "final": [DJANGO_USER, ENTITIES, ACTOR + AVATAR],
    "early": [OWN_USER, ENTITIES, EARLY],
}


def begin(stage, file, folder):
    """Makes the app, as the tutorial's manage.py has it, and its tables."""
    app = pathlib.Path(folder) / "server"
    (app / "migrations").mkdir(parents=True)
    (app / "__init__.py").touch()
    (app / "migrations" / "__init__.py").touch()
    (app / "models.py").write_text("from django.db import models\n" + "".join(STAGES[stage]))
    sys.path.insert(0, folder)

    apps = ["server"]
    if stage == "final":
        apps = ["django.contrib.auth", "django.contrib.contenttypes"] + apps
    django.conf.settings.configure(
        INSTALLED_APPS=apps,
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": file}},
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        USE_TZ=True,
    )
    django.setup()
    call_command("makemigrations", "server", verbosity=0)
    importlib.invalidate_caches()
    call_command("migrate", verbosity=0)
    return importlib.import_module("server.models")


def stored(user):
    """The column's text that is not left to the model."""
    from django.contrib.auth.hashers import PBKDF2PasswordHasher, make_password

    if "raw" in user:
        return user["raw"]
    if user.get("hash"):
        return PBKDF2PasswordHasher().encode(user["password"], "salt" + user["username"].encode().hex()[:18], user["hash"])
    if "hash" in user:
        return make_password(user["password"])
    return user["password"]


def add(models, stage, user):
    if stage == "final":
        extra = {k: user[k] for k in ("is_active", "is_staff", "is_superuser", "date_joined") if k in user}
        if "raw" in user or "hash" in user:
            row = models.User.objects.create(username=user["username"], password=stored(user), **extra)
        else:
            row = models.User.objects.create_user(user["username"], password=user["password"], **extra)
    else:
        row = models.User.objects.create(username=user["username"], password=stored(user))
    if stage == "lesson2" or user.get("actor") is False:
        return
    body = embody(models, user["username"], user)
    more = {"avatar_id": user.get("avatar_id", 0)} if stage in ("lesson5", "final") else {}
    if stage == "early":
        more["inventory"] = models.Container.objects.create(instanced_entity=embody(models, user["username"] + "'s inventory", user))
    models.Actor.objects.create(user=row, instanced_entity=body, **more)


def embody(models, name, at):
    entity = models.Entity.objects.create(name=name)
    return models.InstancedEntity.objects.create(entity=entity, x=at.get("x", 0), y=at.get("y", 0))


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in STAGES:
        sys.exit(__doc__)
    stage, file = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        models = begin(stage, file, folder)
        for user in json.load(sys.stdin):
            add(models, stage, user)
        if stage == "early":
            inventory = models.Container.objects.create(instanced_entity=embody(models, "the wolf's den", {}))
            models.Actor.objects.create(user=None, inventory=inventory, instanced_entity=embody(models, "wolf", {"x": 5}))


if __name__ == "__main__":
    main()
