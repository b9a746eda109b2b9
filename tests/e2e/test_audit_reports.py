"""The reports of an audit, read by others: a browser, and the schema that SARIF is published with."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

import jsonschema
import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from dockertls.report.page import page
from dockertls.report.sarif import sarif
from tests.e2e.dockerode import MODULES
from tests.unit.report.auditing import EVERY, EVIL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dockertls.report.audited import Audit

QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""A browser that asks nobody for anything."""
SCHEMA = MODULES / "schemastore/schemas/json/sarif-2.1.0.json"


@contextmanager
def browser(tmp_path: Path, *, script: bool = True, width: int = 1280) -> Iterator[Chrome]:
    options = ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in (*QUIET, f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},900"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    if not script:
        options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
    driver = Chrome(options, Service("/usr/bin/chromedriver"))
    try:
        yield driver
    finally:
        driver.quit()


def opened(driver: Chrome, tmp_path: Path, audit: Audit) -> None:
    path = tmp_path / "audit.html"
    path.write_text(page(audit), encoding="utf-8")
    driver.get(path.as_uri())


def shown(driver: Chrome) -> list[str]:
    """The ids of the findings that can be seen without opening anything."""
    every = driver.find_elements(By.CSS_SELECTOR, ".finding > summary .id")
    return [one.text for one in every if one.is_displayed()]


@pytest.mark.needs("chromium")
def test_the_page_is_filtered_and_opened_without_javascript(tmp_path: Path) -> None:
    with browser(tmp_path, script=False) as driver:
        opened(driver, tmp_path, EVERY)
        assert driver.find_element(By.TAG_NAME, "h1").text == "Audit of web1"
        assert shown(driver) == ["NET-02", "NET-04", "DMN-02", "DMN-09"]

        driver.find_element(By.CSS_SELECTOR, "label:has(#high)").click()
        assert shown(driver) == ["NET-02", "NET-04"]
        driver.find_element(By.ID, "critical").send_keys(" ")  # by keyboard
        assert shown(driver) == ["NET-02"]

        first = driver.find_element(By.CSS_SELECTOR, ".finding.failed")
        assert "close it" not in first.text
        first.find_element(By.TAG_NAME, "summary").click()
        assert "close it" in first.text
        assert "/etc/docker/daemon.json:7" in first.text


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("audit", [EVERY, EVIL], ids=["every", "evil"])
def test_the_page_loads_nothing_runs_nothing_and_breaks_nothing(audit: Audit, tmp_path: Path) -> None:
    with browser(tmp_path) as driver:
        opened(driver, tmp_path, audit)
        assert driver.find_elements(By.TAG_NAME, "script") == []
        loaded = driver.execute_script("return performance.getEntriesByType('resource').map(one => one.name)")
        assert loaded == []
        assert driver.get_log("browser") == []  # type: ignore[no-untyped-call]  # among others, that nothing was against the page's own policy
        assert len(driver.find_elements(By.CLASS_NAME, "finding")) == len(audit.results)


@pytest.mark.needs("chromium")
def test_the_page_fits_a_phone(tmp_path: Path) -> None:
    with browser(tmp_path) as driver:
        driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride", {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
        )
        opened(driver, tmp_path, EVERY)
        for one in driver.find_elements(By.TAG_NAME, "summary"):
            one.click()
        assert driver.execute_script("return document.documentElement.scrollWidth") <= 360


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_read_in_light_and_in_dark(scheme: str, tmp_path: Path) -> None:
    with browser(tmp_path) as driver:
        feature = {"name": "prefers-color-scheme", "value": scheme}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        opened(driver, tmp_path, EVERY)
        dark = driver.execute_script("return getComputedStyle(document.body).backgroundColor") != "rgb(251, 251, 250)"
        assert dark is (scheme == "dark")
        assert driver.execute_script(CONTRASTS) == []


CONTRASTS = """
const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(Number).map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const behind = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
    if (!c.startsWith('rgba')) return c; } return 'rgb(255, 255, 255)'; };
document.querySelectorAll('details').forEach(e => e.open = true);
return [...document.querySelectorAll('body *')]
    .filter(e => [...e.childNodes].some(n => n.nodeType == 3 && n.data.trim()))
    .map(e => { const pair = [light(getComputedStyle(e).color), light(behind(e))].sort((a, b) => b - a);
                return [e.outerHTML.slice(0, 80), (pair[0] + 0.05) / (pair[1] + 0.05)]; }).filter(x => x[1] < 4.5);
"""
"""Texts whose contrast is less than WCAG 2.2 asks for (1.4.3), with their contrast."""


@pytest.mark.needs("sarif-schema")
@pytest.mark.parametrize("audit", [EVERY, EVIL], ids=["every", "evil"])
def test_sarif_is_what_its_schema_says(audit: Audit) -> None:
    jsonschema.Draft7Validator(json.loads(SCHEMA.read_text())).validate(json.loads(sarif(audit)))
