#!/usr/bin/env bash
# Copies a lake whose catalog is SQLite in its own folder, while others read it and write to it:
#   backup.sh /srv/lake /backup/2026-11-26 [/backup/2026-11-25]
# The third folder is an older backup; files that it has are linked and not copied. Ends with an error if the copy is
# not whole; then run it again. It needs rsync and sqlite3, and reads and writes nothing of the lake's but its files.
set -euo pipefail

lake=$(realpath "$1")
backup=$(realpath -m "$2")
[ -f "$lake/catalog.db" ] && [ -d "$lake/warehouse" ] || {
    echo "cannot back up $lake: no catalog.db and warehouse/ are in it; see docs/operations.md for lakes elsewhere" >&2
    exit 1
}
link=()
[ $# -lt 3 ] || link=(--link-dest="$(realpath "$3")")
mkdir -p "$backup"
chmod 700 "$backup"

copy() { # 24: a file went while it was copied, such as one that another process wrote aside and renamed
    rsync -a "${link[@]}" --exclude='*.metadata.json' --exclude='/catalog.db*' "$@" "$lake/" "$backup/" || [ $? = 24 ]
}

# 1. Most of it. What is local to this machine (turns, decisions, alerts) must not be newer than the catalog:
#    it says what was done with records, and what it says too little of is done again.
copy

# 2. The moment that the copy shows: each table's state is a file that the catalog names.
rm -f "$backup/catalog.db"
sqlite3 -readonly "$lake/catalog.db" ".timeout 60000" ".backup '$backup/catalog.db'"
sqlite3 -readonly "$backup/catalog.db" "SELECT metadata_location FROM iceberg_tables" |
    sed 's|^.*/warehouse/|warehouse/|' | rsync -a --files-from=- "$lake/" "$backup/"

# 3. What these states name and 1 did not have yet; files never change once they are written. The local audit trail
#    must not be older than the catalog: entries are told apart by their number in it.
copy --exclude=/security --exclude=/schedule
sync -f "$backup"
