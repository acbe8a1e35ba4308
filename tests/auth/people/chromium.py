"""A real browser without a window, driven by the Chrome DevTools protocol, with an authenticator of Chrome's own in software."""

import asyncio
import base64
import itertools
import json
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection

PROGRAM = shutil.which("chromium") or shutil.which("google-chrome")
PATIENCE = 30
OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--remote-debugging-port=0",
)


@dataclass
class Tab:
    """One tab, and what it has told."""

    connection: ClientConnection
    session: str = ""
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    events: list[dict[str, Any]] = field(default_factory=list)

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Have the browser do something; return what it says of it."""
        number = next(self.numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        await self.connection.send(json.dumps(message))
        async with asyncio.timeout(PATIENCE):
            while (told := json.loads(await self.connection.recv())).get("id") != number:
                self.events.append(told)
        assert "error" not in told, told["error"]
        result: dict[str, Any] = told["result"]
        return result

    async def value(self, expression: str) -> Any:
        """Evaluate JavaScript in the page."""
        told = await self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    async def until(self, expression: str) -> None:
        """Wait until something is so, on whatever page the tab is by then."""
        async with asyncio.timeout(PATIENCE):
            while True:
                told = await self.call("Runtime.evaluate", expression=f"!!({expression})", returnByValue=True)
                if told["result"].get("value") is True:
                    return
                await asyncio.sleep(0.02)

    async def open(self, url: str) -> None:
        """Open a page, to the end of its script."""
        await self.call("Page.navigate", url=url)
        await self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    async def at(self, path: str) -> None:
        """Wait until the tab is on a page and the page is whole."""
        await self.until(f"location.pathname === {json.dumps(path)} && document.readyState === 'complete'")

    async def press(self, *keys: str) -> None:
        """Press keys of the keyboard, one after the other."""
        codes = {"Tab": 9, "Enter": 13}
        for key in keys:
            about = {"key": key, "code": key, "windowsVirtualKeyCode": codes[key]}
            text = {"text": "\r"} if key == "Enter" else {}
            await self.call("Input.dispatchKeyEvent", type="keyDown", **about, **text)
            await self.call("Input.dispatchKeyEvent", type="keyUp", **about)

    async def click(self, selector: str) -> None:
        """Press a button."""
        await self.value(f"document.querySelector({json.dumps(selector)}).click()")

    async def look(self, width: int, file: Path, *, dark: bool = False) -> None:
        """Take a picture of the whole page at a width."""
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme])
        shot = await self.call("Page.captureScreenshot", captureBeyondViewport=True)
        await asyncio.to_thread(file.write_bytes, base64.b64decode(shot["data"]))

    async def give_authenticator(self, transport: str = "internal") -> str:
        """Put a device into the browser that keeps passkeys and always finds its owner there."""
        await self.call("WebAuthn.enable")
        made = await self.call(
            "WebAuthn.addVirtualAuthenticator",
            options={
                "protocol": "ctap2",
                "ctap2Version": "ctap2_1",
                "transport": transport,
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            },
        )
        return str(made["authenticatorId"])


@asynccontextmanager
async def chromium(folder: Path) -> AsyncIterator[Tab]:
    """Start a browser with a profile of its own, and give a tab of it."""
    assert PROGRAM is not None
    process = await asyncio.create_subprocess_exec(
        PROGRAM,
        *OPTIONS,
        f"--user-data-dir={folder}",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        address = None
        async with asyncio.timeout(PATIENCE):
            while not address:
                address = re.search(r"ws://\S+", (await process.stderr.readline()).decode())
        # What else it says is read and let go, or it would wait for a reader.
        rest = asyncio.create_task(process.stderr.read())
        async with websockets.connect(address.group(), max_size=None, proxy=None) as connection:
            tab = Tab(connection)
            target = await tab.call("Target.createTarget", url="about:blank")
            attached = await tab.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
            tab.session = attached["sessionId"]
            for domain in ("Page", "Runtime", "Network", "Log"):
                await tab.call(f"{domain}.enable")
            yield tab
        process.terminate()
        await rest
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
