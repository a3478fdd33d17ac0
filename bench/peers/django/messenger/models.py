"""People, conversations, messages: as document 001 has them."""

from django.contrib.auth.models import AbstractUser
from django.db import models


class MyUser(AbstractUser):
    """Somebody with an account."""

    avatar = models.CharField(max_length=100, default="avatars/default.png")
    is_connected = models.BooleanField(default=False)
    friends = models.ManyToManyField("self", blank=True)


class Conversation(models.Model):
    """A talk of two."""

    initiator = models.ForeignKey(MyUser, models.CASCADE, related_name="+")
    receiver = models.ForeignKey(MyUser, models.CASCADE, related_name="+")


class Message(models.Model):
    """What one of the two said."""

    conversation = models.ForeignKey(Conversation, models.CASCADE)
    sender = models.ForeignKey(MyUser, models.CASCADE)
    text = models.CharField(max_length=4096)
    attachment = models.CharField(max_length=200, null=True)
    timestamp = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["conversation", "-id"])]
