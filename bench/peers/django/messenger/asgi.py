"""HTTP to Django, WebSockets to Channels."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "messenger.settings")

from django.core.asgi import get_asgi_application

django = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter

from messenger.urls import socket_urlpatterns

application = ProtocolTypeRouter({"http": django, "websocket": URLRouter(socket_urlpatterns)})
