"""An RTSP server that plays a raw H.264 file over and over, as a camera does, until it is killed.

Not imported: run by Debian's own Python, which has GStreamer's bindings. Prints `ready`.
"""

import argparse

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

ROLE = "viewer"


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("--port", "--path", "--video"):
        parser.add_argument(name, required=True)
    for name in ("--user", "--password"):
        parser.add_argument(name)
    given = parser.parse_args()
    Gst.init(None)
    needed = ("multifilesrc", "h264parse", "rtph264pay", "rtpbin")
    missing = [name for name in needed if Gst.ElementFactory.find(name) is None]
    if missing:
        raise SystemExit(f"GStreamer lacks {', '.join(missing)}")

    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(
        f'( multifilesrc location="{given.video}" loop=true ! h264parse ! identity sync=true '
        "! rtph264pay name=pay0 pt=96 config-interval=-1 )"
    )
    factory.set_shared(True)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(given.port)
    if given.user is not None:
        server.set_auth(only_for(given.user, given.password, factory))
    server.get_mount_points().add_factory(given.path, factory)
    if not server.attach(None):
        raise SystemExit(f"cannot listen on port {given.port}")
    print("ready", flush=True)
    GLib.MainLoop().run()


def only_for(user: str, password: str, factory: object) -> object:
    """Digest authentication, as most cameras have it."""
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", ROLE)
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    auth.add_digest(user, password, token)
    permissions = GstRtspServer.RTSPPermissions()
    for what in ("access", "construct"):
        permissions.add_permission_for_role(ROLE, f"media.factory.{what}", True)
    factory.set_permissions(permissions)
    return auth


main()
