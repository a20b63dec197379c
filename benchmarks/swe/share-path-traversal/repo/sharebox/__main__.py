import argparse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .handler import handle


def main():
    parser = argparse.ArgumentParser(prog="sharebox", description="Shares a directory over HTTP.")
    parser.add_argument("directory")
    parser.add_argument("--port", type=int, default=8080)
    arguments = parser.parse_args()

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            length = int(self.headers.get("Content-Length") or 0)
            status, body = handle(arguments.directory, self.command, self.path, self.rfile.read(length))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_DELETE = answer

    ThreadingHTTPServer(("127.0.0.1", arguments.port), Handler).serve_forever()


main()
