"""Somebody who has nothing but a keyboard: they go on by Tab, and see at every step where they are."""

from __future__ import annotations

from playwright.sync_api import Page

# What has the focus, and whether that is seen: outlined, and on top. A field without a size is seen by the picture behind it.
_FOCUS = """() => {
    const focused = document.activeElement;
    const shown = focused.matches("[type=radio]") ? focused.nextElementSibling : focused;
    const box = shown.getClientRects()[0] ?? new DOMRect();
    const style = getComputedStyle(shown);
    const middle = (from, to, most) => (Math.max(from, 0) + Math.min(to, most)) / 2;
    const there = document.elementFromPoint(middle(box.left, box.right, innerWidth), middle(box.top, box.bottom, innerHeight));
    return {
        name: (focused.ariaLabel ?? (focused.innerText.trim() || focused.title)),
        outlined: style.outlineStyle === "solid" && parseFloat(style.outlineWidth) >= 2,
        seen: shown.contains(there),
    };
}"""


def tab_to(page: Page, name: str, *, at_most: int, backwards: bool = False) -> None:
    """Press Tab until what has the focus is called so.

    Args:
        page: the page.
        name: what is looked for, as a screen reader says it.
        at_most: how many presses that may take.
        backwards: press Shift and Tab.
    """
    passed = []
    for _ in range(at_most):
        page.keyboard.press("Shift+Tab" if backwards else "Tab")
        focus = page.evaluate(_FOCUS)
        passed.append(focus["name"])
        assert focus["outlined"], f"nothing shows that {focus['name']!r} has the focus"
        assert focus["seen"], f"{focus['name']!r} has the focus and is not seen"
        if focus["name"] == name:
            return
    raise AssertionError(f"{at_most} times Tab do not lead to {name!r}, but past {passed}")
