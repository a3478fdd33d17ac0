"""The WebSocket half."""

import orjson
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db.models import Q
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken

from messenger.models import Conversation, Message, MyUser


class Chat(AsyncWebsocketConsumer):
    """One socket of a conversation."""

    async def connect(self):
        self.conversation = self.scope["url_route"]["kwargs"]["number"]
        self.group = f"conversation_{self.conversation}"
        self.user = await self._participant()
        if self.user is None:
            await self.close()
            return
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def disconnect(self, code):
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive(self, text_data=None, bytes_data=None):
        message = await self._store(orjson.loads(text_data)["message"])
        # Encoded once for all.
        text = orjson.dumps({
            "id": message.id, "text": message.text, "attachment": message.attachment,
            "timestamp": message.timestamp, "realSender": self.user.username, "sender": self.user.id,
        }).decode()
        await self.channel_layer.group_send(self.group, {"type": "chat.message", "text": text})

    async def chat_message(self, event):
        """Tells this socket's client."""
        await self.send(text_data=event["text"])

    @database_sync_to_async
    def _participant(self):
        headers = dict(self.scope["headers"])
        scheme, _, token = headers.get(b"authorization", b"").decode().partition(" ")
        try:
            user = MyUser.objects.get(id=AccessToken(token)["user_id"])
        except (TokenError, MyUser.DoesNotExist):
            return None
        mine = Q(initiator=user) | Q(receiver=user)
        return user if Conversation.objects.filter(mine, id=self.conversation).exists() else None

    @database_sync_to_async
    def _store(self, text):
        return Message.objects.create(conversation_id=self.conversation, sender=self.user, text=text)
