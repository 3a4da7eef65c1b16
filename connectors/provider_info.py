"""What Airflow shows when somebody adds a connection to one of our systems.

Found by the entry point ``apache_airflow_provider``. Labels are Vietnamese first; no hook is imported to show a form.
"""

from __future__ import annotations


def provider_info() -> dict[str, object]:
    """The provider's description, in the form that Airflow's ``provider_info`` schema asks for."""
    return {
        "package-name": "lienthong",
        "name": "Liên thông",
        "description": "Lotus Domino 8.5 và hệ thống điều hành tác nghiệp / Lotus Domino 8.5 and the operations system",
        "connection-types": [
            {
                "connection-type": "domino",
                "hook-class-name": "connectors.lotus_notes.hook.DominoHook",
                "hook-name": "Lotus Domino 8.5",
                "conn-fields": _DOMINO_FIELDS,
                "ui-field-behaviour": _DOMINO_BEHAVIOUR,
            },
            {
                "connection-type": "edoc_exchange",
                "hook-class-name": "connectors.operations.hook.ExchangeHook",
                "hook-name": "Trục liên thông văn bản (edXML)",
                "conn-fields": _EXCHANGE_FIELDS,
                "ui-field-behaviour": _EXCHANGE_BEHAVIOUR,
            },
        ],
    }


def _text(label: str, description: str, **schema: object) -> dict[str, object]:
    return {"label": label, "description": description, "schema": {"type": ["string", "null"], **schema}}


_HTTP_FIELDS: dict[str, object] = {
    "ca_file": _text(
        "Chứng thư CA (tệp PEM) / CA file",
        "Tệp trên máy chạy tác vụ, khi máy chủ dùng chứng thư nội bộ. / A file on the workers, for an office's own CA.",
    ),
    "client_certificate": _text(
        "Chứng thư máy khách (tệp PEM) / client certificate",
        "Tệp trên máy chạy tác vụ, khi máy chủ đòi chứng thư. / A file on the workers, where the server asks for one.",
    ),
    "client_key": _text(
        "Khóa của chứng thư máy khách (tệp PEM) / client key",
        "Để trống khi khóa nằm cùng tệp. / Empty when the key is in the same file.",
    ),
    "proxy": _text("Proxy", "Ví dụ http://proxy:3128; để trống: nối thẳng. / For example http://proxy:3128."),
}
_DOMINO_FIELDS: dict[str, object] = {
    "auth": _text(
        "Cách đăng nhập / authentication",
        "session: biểu mẫu đăng nhập và cookie (DomAuthSessId, LtpaToken); basic: HTTP Basic; none: không đăng nhập. / "
        "session: login form and cookie; basic: HTTP Basic; none: anonymous.",
        default="session",
        enum=["session", "basic", "none"],
    ),
    "login_path": _text(
        "Đường dẫn đăng nhập / login path",
        "Để trống: /names.nsf?Login. / Empty: /names.nsf?Login.",
    ),
    **_HTTP_FIELDS,
    "legacy_tls": {
        "label": "TLS cũ / legacy TLS",
        "description": "Cho phép TLS 1.0, vì Domino 8.5 không biết bản mới hơn; chỉ dùng trong mạng nội bộ. / "
        "Allow TLS 1.0, the newest that Domino 8.5 itself speaks; inside the office's network only.",
        "schema": {"type": ["boolean", "null"], "default": False},
    },
}
_DOMINO_BEHAVIOUR: dict[str, object] = {
    "hidden-fields": ["extra"],
    "relabeling": {
        "host": "Máy chủ Domino / host",
        "schema": "http hoặc https / scheme",
        "port": "Cổng / port",
        "login": "Tài khoản (chỉ đọc) / account",
        "password": "Mật khẩu Internet / Internet password",
    },
    "placeholders": {
        "host": "domino.tinhuy.vn",
        "schema": "https",
        "login": "CN=Lien thong/O=TinhUy",
    },
}
_EXCHANGE_FIELDS: dict[str, object] = {
    "dialect": _text(
        "Loại dịch vụ / dialect",
        "vxp: trục VXP, tiêu đề có ký; lgsp: LGSP của tỉnh (/v1/…); lgsp_token: LGSP bản cũ (/api/lgspedoc/…); "
        "bkav: Bkav eDoc. / vxp: signed headers; lgsp: provincial REST; lgsp_token: its older variant.",
        default="vxp",
        enum=["vxp", "lgsp", "lgsp_token", "bkav"],
    ),
    "system_id": _text(
        "Mã hệ thống / system id",
        "vxp, lgsp: mã riêng cấp cho kho lưu trữ, không dùng chung với hệ thống đang tác nghiệp. / The archive's own.",
    ),
    "secret_key": _text("Khóa bí mật / secret key", "vxp, lgsp.", format="password"),
    "application_code": _text(
        "Mã ứng dụng / application code", "lgsp: applicationCode khi đăng nhập. / At login."
    ),
    "organ_id": _text(
        "Mã đơn vị / organ id", "bkav: đơn vị có hộp thư, ví dụ 000.00.01.H10. / Whose mailbox."
    ),
    "authorization": _text(
        "Mã xác thực / authorization",
        "bkav: toàn bộ giá trị của tiêu đề Authorization. / The whole value of the header.",
        format="password",
    ),
    **_HTTP_FIELDS,
}
_EXCHANGE_BEHAVIOUR: dict[str, object] = {
    "hidden-fields": ["extra"],
    "relabeling": {
        "host": "Máy chủ / host",
        "schema": "http hoặc https / scheme",
        "port": "Cổng / port",
        "login": "Tài khoản (lgsp) / account",
        "password": "Mật khẩu (lgsp) / password",
    },
    "placeholders": {"host": "truclienthong.tinh.gov.vn", "schema": "https"},
}
