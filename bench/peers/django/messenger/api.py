"""The HTTP half."""

from django.contrib.auth import authenticate
from django.db.models import Q
from django.shortcuts import get_object_or_404
from rest_framework import serializers, status
from rest_framework.authtoken.models import Token
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.response import Response
from rest_framework_simplejwt.tokens import RefreshToken

from messenger.models import Conversation, Message, MyUser


class UserSerializer(serializers.ModelSerializer):
    """The document's user object."""

    avatar = serializers.SerializerMethodField()
    friends = serializers.SerializerMethodField()

    class Meta:
        model = MyUser
        fields = ["id", "username", "is_connected", "avatar", "friends"]

    def get_avatar(self, user):
        return f"/media/{user.avatar}"

    def get_friends(self, user):
        # Sorted here, so that what was fetched for all of them at once is used.
        return sorted(friend.username for friend in user.friends.all())


class MessageSerializer(serializers.ModelSerializer):
    """The document's message object."""

    realSender = serializers.CharField(source="sender.username")

    class Meta:
        model = Message
        fields = ["id", "text", "attachment", "timestamp", "realSender", "sender"]


def tokens_of(user):
    refresh = RefreshToken.for_user(user)
    token, _ = Token.objects.get_or_create(user=user)
    return {
        "access_token": str(refresh.access_token), "refresh_token": str(refresh), "token_auth": token.key
    }


@api_view(["POST"])
@authentication_classes([])
@permission_classes([])
def registration(request):
    """Makes an account, and signs it in."""
    data = request.data
    user = MyUser.objects.create_user(data["username"], data["email"], data["password1"])
    return Response(tokens_of(user), status=status.HTTP_201_CREATED)


@api_view(["POST"])
@authentication_classes([])
@permission_classes([])
def login(request):
    """Signs in by username and password."""
    user = authenticate(username=request.data.get("username"), password=request.data.get("password"))
    if user is None:
        return Response({"error": "Invalid credentials"}, status=status.HTTP_400_BAD_REQUEST)
    return Response(tokens_of(user))


@api_view(["GET"])
def user_list(request):
    """All users, by name."""
    users = MyUser.objects.order_by("username").prefetch_related("friends")
    return Response(UserSerializer(users, many=True).data)


@api_view(["POST"])
def add_friend(request):
    """Makes somebody a friend."""
    friend = get_object_or_404(MyUser, username=request.data["friend_username"])
    request.user.friends.add(friend)
    return Response({"success": True, "message": f"{friend.username} added as friend."})


@api_view(["POST"])
def start(request):
    """The conversation with somebody."""
    other = get_object_or_404(MyUser, username=request.data["username"])
    either_way = Q(initiator=request.user, receiver=other) | Q(initiator=other, receiver=request.user)
    conversation = Conversation.objects.filter(either_way).first()
    if conversation is None:
        conversation = Conversation.objects.create(initiator=request.user, receiver=other)
    return Response({
        "conversation_id": conversation.id,
        "initiator": UserSerializer(conversation.initiator).data,
        "receiver": UserSerializer(conversation.receiver).data,
    })


@api_view(["GET"])
def conversation(request, number):
    """The newest messages of a conversation."""
    found = get_object_or_404(Conversation.objects.select_related("initiator", "receiver"), id=number)
    if request.user.id not in (found.initiator_id, found.receiver_id):
        return Response(status=status.HTTP_403_FORBIDDEN)
    limit = int(request.query_params.get("limit", 10_000))
    messages = Message.objects.filter(conversation=found).select_related("sender").order_by("-id")[:limit]
    return Response({
        "initiator": UserSerializer(found.initiator).data,
        "receiver": UserSerializer(found.receiver).data,
        "message_set": MessageSerializer(messages, many=True).data,
    })
