# shellcheck shell=sh
# The shadow's container: see shadow_script.py. POSIX sh; its words in capitals are replaced.
shared=$1 data=$2 server='' job='' tick=1
export HOME="$data" TZ=UTC LC_MESSAGES=C LANGUAGE='' LANG="${LC_ALL:-${LANG:-C}}"
unset LC_ALL PGDATA PGHOST PGHOSTADDR PGPORT PGDATABASE PGUSER PGPASSWORD PGPASSFILE PGSERVICE PGOPTIONS PGAPPNAME
umask 022

# As process 1 the shell takes all others with it when it exits.
finish() {
  trap '' TERM INT
  [ -z "$job" ] || kill "$job"
  [ -z "$server" ] || kill -QUIT "$server"
  exit 0
} 2>/dev/null
trap finish TERM INT

# A trap waits for the end of a command in the foreground, and not for one that is waited for.
run() {
  "$@" & job=$!
  wait "$job"; set -- "$?"
  job=
  return "$1"
}

say() {
  read -r now rest </proc/uptime
  echo "alembic-operator shadow: $1 (at $now s of uptime)"
}

answer() {
  printf '%s' "$2" >"$shared/$1.part" && mv "$shared/$1.part" "$shared/$1"
}

fail() {
  say "failed: $1"
  rm -f "$shared/@READY@"
  answer @FAILED@ "$1"
  [ -z "$server" ] || kill -QUIT "$server" 2>/dev/null
  server=
  while :; do run sleep 3600; done
}

# The server's own words in a file: what stands behind the first ERROR, FATAL or PANIC.
words() {
  sed -n -e 's/^.*ERROR:  *//p' -e 's/^.*FATAL:  *//p' -e 's/^.*PANIC:  *//p' -e 's/^initdb: error:  *//p' "$1" |
    head -n 1 | cut -c 1-300
}

full="the disk is full: give the node more ephemeral storage, or set another shadow in spec.review"

start_failed() {
  found=$(words "$1")
  case $(cat "$1") in
    *"No space left on device"*|*"Disk quota exceeded"*|*"wrote only"*) found=$full ;;
  esac
  fail "Starting the shadow, an empty PostgreSQL beside the runner: ${found:-it ended without a message}. Correct \
spec.review.shadow, or give the pod more memory or storage."
}

target_failed() {
  found=$(words "$2")
  case $(cat "$2") in
    *"permission denied for"*)
      fail "$1: ${found}. The review user needs SELECT on every table and USAGE on every schema: GRANT \
pg_read_all_data to it." ;;
    *"lock timeout"*|*"statement timeout"*)
      fail "$1: another session has held a table lock for longer than @WAIT@ s. The next run retries; end that session \
if it stays." ;;
    *"oo many connections"*|*"too many clients"*|*"remaining connection slots"*)
      fail "$1: the server, the database or the role has no free connections. Raise the limit, or close connections." ;;
    *"authentication failed"*|*"no password supplied"*|*"pg_hba.conf"*)
      fail "$1: the server rejects the user from the shadow's container, although it accepted the runner. Check the \
Secret and the server's pg_hba.conf." ;;
    *"root certificate file"*|*"certificate verify failed"*|*"does not support SSL"*|*"SSL error"*)
      fail "$1: the TLS connection failed. A certificate that the Secret names must be mounted with \
spec.job.volumeMounts, which also apply to the shadow's container." ;;
    *"could not connect"*|*"connection to server"*|*"could not translate"*|*"timeout expired"*|\
    *"closed the connection"*)
      fail "$1: the connection failed or broke. Check the server and network policies; the next run retries." ;;
    *"No space left on device"*)
      fail "$1: $full." ;;
  esac
  fail "$1: ${found:-unknown reason}. The next run retries."
}

restore_failed() {
  what="Restoring the target's schema in the shadow"
  extension=$(sed -n 's/^.*ERROR: .*extension "\([^"]*\)" is not available.*/\1/p' "$shared/restore.err" | head -n 1)
  [ -z "$extension" ] || fail "$what: its image lacks the extension \"$extension\". Set spec.review.shadow.image to a \
PostgreSQL $major image that has it."
  found=$(words "$shared/restore.err")
  case $(cat "$shared/restore.err") in
    *"No space left on device"*|*"Disk quota exceeded"*|*"wrote only"*)
      fail "$what: $full." ;;
    *"closed the connection"*|*"connection to server"*)
      fail "$what: its server stopped, most likely out of memory: $(words "$data/log"). Give the node more memory." ;;
  esac
  fail "$what: ${found:-unknown reason}. If its image lacks something that the schema needs, set \
spec.review.shadow.image to a PostgreSQL $major image that has it."
}

local_psql() {
  psql -X -q -v ON_ERROR_STOP=1 -h "$shared" -U @USER@ "$@"
}

# In a subshell of its own: nothing of the target's settings stays in this one.
target() {
  # shellcheck source=/dev/null
  . "$shared/@SOURCE@"
  export PGOPTIONS="${PGOPTIONS-} -c default_transaction_read_only=on" PGCONNECT_TIMEOUT="${PGCONNECT_TIMEOUT:-10}"
  "$@"
}

# How a database like the connected one is made: the two spellings of UTF-8 in locales are one.
like="SELECT pg_catalog.format('CREATE DATABASE @DATABASE@ TEMPLATE template0 ENCODING %L LC_COLLATE %L LC_CTYPE %L',
  pg_catalog.pg_encoding_to_char(d.encoding), pg_catalog.replace(d.datcollate, 'UTF-8', 'utf8'),
  pg_catalog.replace(d.datctype, 'UTF-8', 'utf8')) || CASE j.j ->> 'datlocprovider'
    WHEN 'i' THEN pg_catalog.format(' LOCALE_PROVIDER icu ICU_LOCALE %L',
      COALESCE(j.j ->> 'datlocale', j.j ->> 'daticulocale'))
    WHEN 'b' THEN pg_catalog.format(' LOCALE_PROVIDER builtin BUILTIN_LOCALE %L', j.j ->> 'datlocale')
    ELSE '' END || ';'
  FROM pg_catalog.pg_database AS d, LATERAL (SELECT pg_catalog.to_jsonb(d) AS j) AS j
  WHERE d.datname = pg_catalog.current_database()"

# Superusers, so that a revision may SET ROLE to one: nothing in the shadow is owned or granted as on the target.
cast="SELECT pg_catalog.format('CREATE ROLE %I SUPERUSER NOLOGIN;', rolname) FROM pg_catalog.pg_roles
  WHERE rolname !~ '^pg_' AND rolname <> '@USER@';
SELECT pg_catalog.format('CREATE TABLESPACE %I LOCATION %L;', spcname, '') FROM pg_catalog.pg_tablespace
  WHERE spcname !~ '^pg_'"

# A revision that writes to a foreign table must not write to another real database: nobody can log in there.
alone="DO \$d\$ DECLARE m record; BEGIN FOR m IN SELECT srvname, usename, umuser FROM pg_catalog.pg_user_mappings LOOP
  EXECUTE pg_catalog.format('DROP USER MAPPING FOR %s SERVER %I',
    CASE m.umuser WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(m.usename) END, m.srvname);
  END LOOP; END \$d\$"

make_server() {
  set -- initdb -D "$data/server" -U @USER@ --auth=trust --encoding=UTF8 --no-sync --no-instructions --wal-segsize=1
  run "$@" >"$data/log" 2>&1 && return
  grep -q "invalid locale" "$data/log" || return 1
  rm -rf "$data/server"
  run "$@" --locale=C >"$data/log" 2>&1
}

start_server() {
  set -- -c listen_addresses= -c "unix_socket_directories=$shared" -c port=5432 -c max_connections=40 \
    -c shared_buffers=32MB -c max_locks_per_transaction=2000 -c max_prepared_transactions=2 -c timezone=UTC \
    -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c wal_level=minimal -c max_wal_senders=0 \
    -c autovacuum=off -c jit=off -c allow_in_place_tablespaces=on \
    -c lc_messages=C -c logging_collector=off -c log_destination=stderr -c log_min_messages=fatal
  postgres -D "$data/server" "$@" >"$data/log" 2>&1 &
  server=$!
  until grep -q "^ready" "$data/server/postmaster.pid" 2>/dev/null; do
    kill -0 "$server" 2>/dev/null || { server=; return 1; }
    run sleep "$tick"
  done
}

# What fails is kept where the disk cannot be full.
dump_and_restore() {
  {
    target pg_dump --schema-only --no-owner --no-privileges --no-tablespaces --no-subscriptions --no-security-labels \
      --exclude-schema=@JOURNAL@ --lock-wait-timeout=@WAIT@s 2>"$shared/dump.err"
    echo "$?" >"$shared/dump.code"
  } | PGOPTIONS='-c client_min_messages=error' local_psql -1 -d @DATABASE@ -f "$data/roles.sql" -f - -c "$alone" \
    >/dev/null 2>"$shared/restore.err"
}

# A second life: the data is there. The runner has lost its connection, and would wait for an answer.
[ ! -e "$data/begun" ] || fail "The shadow was killed while it ran, most likely out of memory. The next run retries; \
give the node more memory, or set spec.review.evidence: Static."
true >"$data/begun" || fail "Starting the shadow: the user id $(id -u) of spec.review.shadow.runAsUser cannot write to \
the pod's volume."
for program in initdb postgres psql pg_dump; do
  command -v "$program" >/dev/null || fail "Starting the shadow: the program $program is not on its image's PATH. Set \
spec.review.shadow.image to a PostgreSQL image."
done
id -un >/dev/null 2>&1 || fail "Starting the shadow: the user id $(id -u) is not in its image's passwd file, so \
PostgreSQL does not start. Set spec.review.shadow.runAsUser to the id of the image's postgres user (999 in Debian's \
images, 70 in Alpine's)."
sleep 0.01 2>/dev/null && tick=0.03

say "begun"
make_server || start_failed "$data/log"
start_server || start_failed "$data/log"
major=$(cat "$data/server/PG_VERSION")
run local_psql -At -d template1 -c "CREATE DATABASE @DATABASE@ TEMPLATE template0" -c '\connect @DATABASE@' -c "$like" \
  >"$data/own" 2>&1 || start_failed "$data/own"
say "an empty PostgreSQL $major runs"

until [ -e "$shared/@SOURCE@" ]; do
  kill -0 "$server" 2>/dev/null || { server=; start_failed "$data/log"; }
  run sleep "$tick"
done
say "the target is known"

reading="Reading the target's version and roles for the shadow"
run target psql -X -At -v ON_ERROR_STOP=1 \
  -c "SELECT '-- ' || pg_catalog.current_setting('server_version_num')::int / 10000" \
  -c "$like" -c "$cast" >"$data/cast" 2>"$shared/target.err" </dev/null || target_failed "$reading" "$shared/target.err"
{ read -r _ theirs; read -r database; } <"$data/cast"
[ "$theirs" = "$major" ] || fail "The shadow's image has PostgreSQL $major, but the target is PostgreSQL $theirs: they \
must be the same. The next run uses the image for $theirs from the operator's shadow.images; an image in \
spec.review.shadow.image must also be PostgreSQL $theirs."
if [ "$database" != "$(cat "$data/own")" ]; then
  # As far as the image has the locale: a range of texts may be empty by another order.
  run local_psql -d template1 -c "DROP DATABASE @DATABASE@" -c "$database" >"$data/log.made" 2>&1 ||
    run local_psql -d template1 -c "CREATE DATABASE @DATABASE@ TEMPLATE template0" >"$data/log.made" 2>&1 ||
    start_failed "$data/log.made"
fi
grep '^CREATE TABLESPACE ' "$data/cast" >"$data/spaces.sql" &&
  { run local_psql -d template1 -f "$data/spaces.sql" >/dev/null 2>"$shared/restore.err" || restore_failed; }
sed -e 1,2d -e '/^CREATE TABLESPACE /d' "$data/cast" >"$data/roles.sql"
say "dumping"

run dump_and_restore || restore_failed
[ "$(cat "$shared/dump.code")" = 0 ] || target_failed "Dumping the target's schema for the shadow" "$shared/dump.err"
answer @READY@ ''
say "restored"

wait "$server"
server=
fail "The shadow's server stopped while it was in use: $(words "$data/log"). Most likely memory or disk ran out."
