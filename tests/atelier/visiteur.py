"""Someone at a browser: logs in, starts a server, runs code in a kernel. Real HTTP."""

import asyncio
import json
import re
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import requests
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

SECONDS = 120


class Visitor:
    """One browser, with its cookies."""

    def __init__(self, url: str, name: str, certificate: str | None = None) -> None:
        """Come to a hub; `certificate` is the only one this browser trusts."""
        self.url, self.name, self.certificate = url, name, certificate
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = certificate or True
        self.kernel = ""

    def log_in(self, password: str) -> int:
        """Fill the login page, and return the status of the answer (302: entered)."""
        self.session.get(f"{self.url}hub/login", timeout=SECONDS)
        token = self._token("/hub/")
        answer = self.session.post(
            f"{self.url}hub/login",
            data={"username": self.name, "password": password, "_xsrf": token},
            allow_redirects=False,
            timeout=SECONDS,
        )
        answer.encoding = "utf-8"
        found = re.search(r'class="login_error".*?>(.*?)</p>', answer.text, re.DOTALL)
        self.said = " ".join(found[1].replace("&#39;", "'").split()) if found else ""
        return answer.status_code

    def start(self) -> None:
        """Start the server, and wait until JupyterLab's page is there."""
        self.kernel = ""
        self.session.get(f"{self.url}hub/spawn", timeout=SECONDS)
        deadline = time.monotonic() + SECONDS
        while True:
            page = self.session.get(self.server("lab"), timeout=SECONDS)
            if page.status_code == 200 and page.url.startswith(self.server("")):
                return
            assert time.monotonic() < deadline, page.text
            time.sleep(0.3)
            if 'id="start"' in page.text:  # « Ouvrir », of a server at rest
                self.session.get(f"{self.url}hub/spawn", timeout=SECONDS)

    def server(self, path: str, name: str = "") -> str:
        """Give an address of a seat's server."""
        return f"{self.url}user/{name or self.name}/{path}"

    def status(self, path: str, method: str = "GET") -> int:
        """Ask for an address of the hub, and return the status of the answer."""
        token = self._token("/hub/")
        answer = self.session.request(
            method,
            f"{self.url}{path}",
            headers={"X-XSRFToken": token, "Referer": f"{self.url}hub/home"},
            timeout=SECONDS,
            allow_redirects=False,
        )
        return answer.status_code

    def run(self, code: str) -> str:
        """Run code in the kernel of the seat, and return what it prints (or its error)."""
        if not self.kernel:
            token = self._token("/user/")
            answer = self.session.post(
                self.server("api/kernels"),
                json={"path": "essai.ipynb"},
                headers={"X-XSRFToken": token},
                timeout=SECONDS,
            )
            answer.raise_for_status()
            self.kernel = answer.json()["id"]
        # In a thread: a browser's session may hold this one's loop.
        with ThreadPoolExecutor(1) as apart:
            return apart.submit(asyncio.run, self._run(code)).result()

    def _token(self, path: str) -> str:
        """Find what pages under a path ask to be sent back with a form."""
        found = [
            one.value
            for one in self.session.cookies
            if one.name == "_xsrf" and one.path.startswith(path)
        ]
        return str(found[0]) if found else ""

    async def _run(self, code: str) -> str:
        address = self.server(f"api/kernels/{self.kernel}/channels").replace("http", "ws", 1)
        prepared = self.session.prepare_request(
            requests.Request("GET", address.replace("ws", "http", 1))
        )
        cookies = {"Cookie": str(prepared.headers["Cookie"])}
        socket = await websocket_connect(
            HTTPRequest(address, headers=cookies, ca_certs=self.certificate)
        )
        number = uuid.uuid4().hex
        header = {"msg_id": number, "msg_type": "execute_request", "version": "5.3"}
        header |= {"session": uuid.uuid4().hex, "username": "", "date": ""}
        content = {"code": code, "silent": False, "store_history": False, "allow_stdin": False}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
        await socket.write_message(json.dumps({**message, "channel": "shell", "buffers": []}))
        said = ""
        while True:
            text = await asyncio.wait_for(socket.read_message(), SECONDS)
            assert text, "the kernel's connection was closed"
            got = json.loads(text)
            if got["parent_header"].get("msg_id") != number:
                continue
            kind, content = got["header"]["msg_type"], got["content"]
            if kind == "stream":
                said += str(content["text"])
            elif kind == "error":
                said += f"{content['ename']}: {content['evalue']}"
            elif kind == "status" and content["execution_state"] == "idle":
                socket.close()
                return said.strip()
