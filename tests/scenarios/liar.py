"""A server that reads each request whole and then says what it was told to."""
import re
import socket
import threading


def reply(body, status="200 OK", length=None, extra=""):
    """A reply's bytes; a length of its own may be wrong, or left out (-1)."""
    body = body if isinstance(body, bytes) else body.encode()
    size = len(body) if length is None else length
    head = f"HTTP/1.1 {status}\r\nConnection: close\r\n{extra}"
    if size >= 0:
        head += f"Content-Length: {size}\r\n"
    return head.encode() + b"\r\n" + body


class Liar:
    """Answers every request with the same bytes, then closes."""

    def __init__(self, answer):
        self.answer = answer
        self.bodies = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v2/index.php"
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(10)
                try:
                    self.talk(connection)
                except OSError:
                    pass

    def talk(self, connection):
        data = b""
        while b"\r\n\r\n" not in data:
            piece = connection.recv(65536)
            if not piece:
                return
            data += piece
        head, body = data.split(b"\r\n\r\n", 1)
        length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
        while length and len(body) < int(length[1]):
            piece = connection.recv(65536)
            if not piece:
                return
            body += piece
        self.bodies.append(body)
        connection.sendall(self.answer)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(10)
