"""Many people and messages at once, before a measurement begins: each by a password hash or an insertion of its own would take minutes."""

from django.contrib.auth.hashers import make_password
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.response import Response
from rest_framework_simplejwt.tokens import AccessToken

from messenger.models import Message, MyUser


@api_view(["POST"])
@authentication_classes([])
@permission_classes([])
def people(request):
    """Makes accounts of these names and one password; their access tokens."""
    password = make_password(request.data["password"])
    users = MyUser.objects.bulk_create(
        MyUser(username=name, email=f"{name}@example.com", password=password) for name in request.data["usernames"]
    )
    return Response([str(AccessToken.for_user(user)) for user in users])


@api_view(["POST"])
def messages(request):
    """Fills a conversation with so many messages of the caller's."""
    Message.objects.bulk_create(
        Message(conversation_id=request.data["conversation_id"], sender=request.user, text=request.data["text"])
        for _ in range(request.data["number"])
    )
    return Response({})
