"""Properties that HubSpot calculates from others: nothing is stored for them."""

from __future__ import annotations

from collections.abc import Callable

from .contacts import Contact
from .instants import instant
from .stages import entered_ms

Getter = Callable[[Contact], str | None]


def _domain(contact: Contact) -> str | None:
    email = contact.props.get("email")
    return email.rpartition("@")[2] if email else None


def _full_name(contact: Contact) -> str | None:
    names = [contact.props[name] for name in ("firstname", "lastname") if name in contact.props]
    return " ".join(names) if names else contact.props.get("email")


def _merged_vids(contact: Contact) -> str | None:
    return ";".join(f"{number}:{at}" for number, at in contact.merged) or None


def _merged_ids(contact: Contact) -> str | None:
    return ";".join(str(number) for number, _ in contact.merged if number != contact.number) or None


def _all_vids(contact: Contact) -> str:
    return ";".join(dict.fromkeys([contact.id, *(str(number) for number, _ in contact.merged)]))


def _phone(contact: Contact) -> str | None:
    digits = "".join(each for each in contact.props.get("phone", "") if each.isdigit() or each == "+")
    return digits or None


def _born_user(contact: Contact) -> str | None:
    return None if contact.born.user_id is None else str(contact.born.user_id)


def _entered(stage: str) -> Getter:
    def read(contact: Contact) -> str | None:
        since = entered_ms(contact, stage)
        return None if since is None else instant(since)

    return read


def _became(stage: str) -> Getter:
    def read(contact: Contact) -> str | None:
        stored = contact.props.get(f"hs_lifecyclestage_{stage}_date")
        if stored is not None or contact.props.get("lifecyclestage") != stage:
            return stored
        since = entered_ms(contact, stage)
        return None if since is None else instant(since)

    return read


def _entered_current(contact: Contact) -> str | None:
    stage = contact.props.get("lifecyclestage")
    return _entered(stage)(contact) if stage else None


_FIXED: dict[str, Getter] = {
    "hs_object_id": lambda contact: contact.id,
    "createdate": lambda contact: instant(contact.created_ms),
    "lastmodifieddate": lambda contact: instant(contact.updated_ms),
    "hs_email_domain": _domain,
    "hs_full_name_or_email": _full_name,
    "hs_calculated_phone_number": _phone,
    "hs_calculated_merged_vids": _merged_vids,
    "hs_merged_object_ids": _merged_ids,
    "hs_all_contact_vids": _all_vids,
    "hs_object_source": lambda contact: contact.born.source_type,
    "hs_object_source_id": lambda contact: contact.born.source_id or None,
    "hs_object_source_label": lambda contact: contact.born.source_type,
    "hs_object_source_user_id": _born_user,
    "hs_created_by_user_id": _born_user,
    "hs_v2_date_entered_current_stage": _entered_current,
}


def getter(name: str) -> Getter | None:
    """How a calculated property is read; None = it is stored like any other."""
    fixed = _FIXED.get(name)
    if fixed is not None:
        return fixed
    if name.startswith("hs_v2_date_entered_"):
        return _entered(name.removeprefix("hs_v2_date_entered_"))
    if name.startswith("hs_lifecyclestage_") and name.endswith("_date"):
        return _became(name.removeprefix("hs_lifecyclestage_").removesuffix("_date"))
    return None


def value_of(contact: Contact, name: str) -> str | None:
    """The value of any property, calculated or stored."""
    read = getter(name)
    return read(contact) if read is not None else contact.props.get(name)
