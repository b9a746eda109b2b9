"""pkilint's linter of RFC 5280 on certificates, on who signed whom, and on revocation lists."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.serialization import Encoding
from pkilint import loader, pkix
from pkilint.bin import lint_pkix_signer_signee_cert_chain as pair
from pkilint.pkix import certificate, crl, extension, name
from pkilint.validation import ValidationFindingSeverity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cryptography import x509

NAME_FORM = "pkix.invalid_domain_name_syntax"
WAIVED = {
    NAME_FORM: "RFC 5280 wants host names of DNS; Docker's clients call hosts `localhost`, `docker` or `web1` too"
}
"""Where a MUST of the RFC would take away what Docker's clients need: for `of_dns_form` False, and for nothing else."""

Findings = list[tuple[str, str]]
"""The code and the message of each, notices and worse."""


def linted(one: x509.Certificate) -> Findings:
    """What is to be said of a certificate, WAIVED included."""
    return _told(_certificates().validate(_document(one).root))


def linted_chain(path: Sequence[x509.Certificate]) -> Findings:
    """What is to be said of a path's neighbours: names, identifiers, signatures, policies.

    Args:
        path: the leaf first, the root last.
    """
    return [finding for signed, signer in pairwise(path) for finding in _linted_pair(signer, signed)]


def linted_list(one: x509.CertificateRevocationList) -> Findings:
    """What is to be said of a revocation list."""
    read = loader.RFC5280CertificateListDocumentLoader().load_document(one.public_bytes(Encoding.DER), "list")
    return _told(_lists().validate(read.root))


def besides_waived(findings: Findings) -> Findings:
    """The findings but for those on names that DNS does not know."""
    return [(code, told) for code, told in findings if code not in WAIVED or of_dns_form(told.split('"')[1])]


def of_dns_form(host: str) -> bool:
    """Whether a name has labels as RFC 1034 wants them, and more than one: then nothing is waived."""
    return "." in host and not host.startswith("*.")


def _linted_pair(signer: x509.Certificate, signed: x509.Certificate) -> Findings:
    documents: dict[str, Any] = {}
    for role, one in (("issuer", signer), ("subject", signed)):
        documents[role] = _document(one, role, documents)
    decode, issuer, subject = _pairs()
    results = [found for one in documents.values() for found in decode.validate(one.root)]
    results += issuer.validate(documents["issuer"].root) + subject.validate(documents["subject"].root)
    return _told(results)


def _document(one: x509.Certificate, role: str = "certificate", beside: dict[str, Any] | None = None) -> Any:  # noqa: ANN401
    reader = loader.RFC5280CertificateDocumentLoader()
    return reader.load_document(one.public_bytes(Encoding.DER), "memory", role, beside)


def _told(results: Iterable[Any]) -> Findings:
    return [
        (one.finding.code, one.message or "")
        for result in results
        for one in result.finding_descriptions
        if one.finding.severity <= ValidationFindingSeverity.NOTICE
    ]


@cache
def _certificates() -> Any:  # noqa: ANN401 - pkilint ships no types
    """As `lint_pkix_cert lint` puts it together."""
    return certificate.create_pkix_certificate_validator_container(
        certificate.create_decoding_validators(name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS),
        [
            certificate.create_issuer_validator_container([]),
            certificate.create_validity_validator_container(),
            certificate.create_subject_validator_container([]),
            certificate.create_extensions_validator_container([]),
            certificate.create_spki_validator_container([]),
        ],
    )


@cache
def _pairs() -> tuple[Any, Any, Any]:
    """As `lint_pkix_signer_signee_cert_chain lint` does."""
    return (
        pair.create_decoder_validation_container(),
        pair.create_issuer_validation_container(),
        pair.create_subject_validation_container(),
    )


@cache
def _lists() -> Any:  # noqa: ANN401 - pkilint ships no types
    """As `lint_crl lint -t CRL -p PKIX` does."""
    return crl.create_pkix_crl_validator_container(
        [
            pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
            pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
        ],
        [
            crl.create_issuer_validator_container([]),
            crl.create_validity_validator_container([]),
            crl.create_extensions_validator_container([]),
        ],
    )
