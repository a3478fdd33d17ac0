"""Paths, as in document 001."""

from django.urls import path

from messenger import api, measure
from messenger.chat import Chat

urlpatterns = [
    path("auth/registration/", api.registration),
    path("auth/login/", api.login),
    path("users/user_list/", api.user_list),
    path("users/add_friend/", api.add_friend),
    path("conversations/start/", api.start),
    path("conversations/<int:number>/", api.conversation),
    path("measure/people/", measure.people),
    path("measure/messages/", measure.messages),
]

socket_urlpatterns = [path("ws/chat/<int:number>/", Chat.as_asgi())]
