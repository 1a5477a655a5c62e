/*
title = "Administrative actions"
description = """
Acts of administration by user, client and action. Counted are requests for a path of administration at the first or
second level (admin, administrator, wp-admin, phpmyadmin, pma, manager/html, manage, management, actuator, console,
_cluster, _security, _config); commands that change a machine (sudo, su, useradd, usermod, userdel, groupadd, groupmod,
passwd, visudo, chown, chmod, systemctl, service, iptables, nft, crontab, mount, shutdown, reboot, apt, apt-get, dnf,
yum, rpm, dpkg, docker, kubectl) in process.command_line, process.command_args or the records of sudo; and events whose
name holds create, delete, update, modify, grant, revoke, assign, attach, detach, enable, disable, user_add, role,
policy, permission, privilege, password, config or setting.
"""
window = "7d"
chart = { kind = "bar", x = "action", y = "actions", by = "user" }
keys = ["kind", "action", "user", "client"]

[columns]
kind = "request, command or event"
action = "method and path, the command, or the name of the event"
user = "the user; null where the record names none"
client = "address of the client; null where the record names none"
actions = "how often"
failed = "those that failed: outcome failure, or status 400 or above"
first_seen = "the first of them"
last_seen = "the last of them"

[parameters]
limit = { kind = "integer", default = 50, meaning = "rows to show" }
*/
WITH records AS (
    SELECT
        timestamp,
        user_id,
        client_address,
        http_request_method,
        url_path,
        event_name,
        coalesce(event_outcome = 'failure', false) OR coalesce(http_response_status_code >= 400, false) AS failed,
        coalesce(attributes['process.command_line'], attributes['process.command_args']) AS command
    FROM logs
    WHERE timestamp >= $since
      AND timestamp < $until
      AND ($collection IS NULL OR collection = $collection)
),
kinds AS (
    SELECT
        *,
        CASE
            WHEN regexp_matches(
                command,
                '(?:^|/| )(?:sudo|su|useradd|usermod|userdel|groupadd|groupmod|passwd|visudo|chown|chmod|systemctl|service|iptables|nft|crontab|mount|shutdown|reboot|apt|apt-get|dnf|yum|rpm|dpkg|docker|kubectl)(?: |$)'
            ) THEN 'command'
            WHEN regexp_matches(
                url_path,
                '(?i)^/(?:[^/]+/)?(?:admin|administrator|wp-admin|phpmyadmin|pma|manager/html|manage|management|actuator|console|_cluster|_security|_config)(?:/|$|[.?])'
            ) THEN 'request'
            WHEN regexp_matches(
                event_name,
                '(?i)(?:create|delete|update|modify|grant|revoke|assign|attach|detach|enable|disable|user_add|role|policy|permission|privilege|password|config|setting)'
            ) THEN 'event'
        END AS kind
    FROM records
    WHERE command IS NOT NULL OR url_path IS NOT NULL OR event_name IS NOT NULL
)
SELECT
    kind,
    CASE kind
        WHEN 'command' THEN command
        WHEN 'request' THEN concat(coalesce(http_request_method, ''), ' ', url_path)
        ELSE event_name
    END AS action,
    user_id AS user,
    client_address AS client,
    count(*) AS actions,
    count(*) FILTER (WHERE failed) AS failed,
    min(timestamp) AS first_seen,
    max(timestamp) AS last_seen
FROM kinds
WHERE kind IS NOT NULL
GROUP BY 1, 2, user_id, client_address
ORDER BY actions DESC, kind, action, user_id, client_address
LIMIT $limit
