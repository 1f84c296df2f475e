"""A TCP line that can be cut and healed: for demonstrations, exercises and tests of what happens then."""

from __future__ import annotations

import contextlib
import socket
import threading

__all__ = ["CuttableLine"]

CHUNK_BYTES = 65_536
CONNECT_S = 3.0


class CuttableLine:
    """Listens on a port of this machine and passes bytes on to ``target`` while it is not cut. A context manager."""

    def __init__(self, target: tuple[str, int], *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.target = target
        """where new connections go"""
        self._listening = socket.create_server((host, port))
        self.port: int = self._listening.getsockname()[1]
        self._whole = threading.Event()
        self._whole.set()
        self._sockets: set[socket.socket] = set()
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, name="line", daemon=True).start()

    def cut(self) -> None:
        """From now on nothing passes; connections break off in the middle."""
        self._whole.clear()
        with self._lock:
            for one in self._sockets:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def heal(self) -> None:
        self._whole.set()

    def close(self) -> None:
        self.cut()
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)  # or the thread that accepts would keep the port
        self._listening.close()

    def __enter__(self) -> CuttableLine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listening.accept()
            except OSError:
                return
            if not self._whole.is_set():
                caller.close()
                continue
            try:
                called = socket.create_connection(self.target, CONNECT_S)
            except OSError:
                caller.close()
                continue
            for one in (caller, called):
                one.settimeout(None)
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._sockets |= {caller, called}
            for source, sink in ((caller, called), (called, caller)):
                threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while self._whole.is_set() and (data := source.recv(CHUNK_BYTES)):
                sink.sendall(data)
        except OSError:
            pass
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        with self._lock:
            self._sockets -= {source, sink}
