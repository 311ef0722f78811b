-- monspool queue, schema 1.
--
-- This file documents the data model; it is also what creates it.
-- To change the schema: never edit a published file.  Add the next number
-- (0002-what.sql) with the statements that lead from the version before to
-- the new one.  The library runs the missing steps in order, and stamps
-- user_version, in one transaction; tests/unit/test_schema.c upgrades a
-- stored queue of every published version.
--
-- Conventions: names are singular; "_at" is Unix time in milliseconds, UTC;
-- "_ms" is a span; every id of a row (metric, dead_letter) is the acceptance
-- number from ledger.last_id, given once and never again.
-- Each table has one writer: the module of its name in spool/queue.

-- What happened to all rows ever accepted.  One row.  At every commit:
--   accepted = pending + delivered + dead + expired + dropped + purged
--   last_id  = accepted + replayed + missing
CREATE TABLE ledger (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  last_id    INTEGER NOT NULL DEFAULT 0,  -- the id given last
  accepted   INTEGER NOT NULL DEFAULT 0,  -- rows ever put
  pending    INTEGER NOT NULL DEFAULT 0,  -- rows of metric
  delivered  INTEGER NOT NULL DEFAULT 0,  -- taken by the receiver
  dead       INTEGER NOT NULL DEFAULT 0,  -- rows of dead_letter
  expired    INTEGER NOT NULL DEFAULT 0,  -- over their age limit
  dropped    INTEGER NOT NULL DEFAULT 0,  -- pushed out by a policy
  purged     INTEGER NOT NULL DEFAULT 0,  -- removed by an operator, or by [dead] bounds
  replayed   INTEGER NOT NULL DEFAULT 0,  -- moves from dead to pending
  missing    INTEGER NOT NULL DEFAULT 0,  -- ids named by gap records
  duplicates INTEGER NOT NULL DEFAULT 0,  -- rows not queued: their key was known
  ambiguous  INTEGER NOT NULL DEFAULT 0   -- requests whose outcome is unknown
);
INSERT INTO ledger (id) VALUES (1);

-- A lane is what one request can carry.  Lanes fail, wait and are held alone.
-- One that is ready, and of which no row, series or request is left, is
-- collected in idle time, but for that with the highest id.
-- state: 'ready'    becomes waiting by a retry verdict, held by a hold;
--        'waiting'  becomes ready when wake_at has come, held by a hold;
--        'held'     becomes ready by an operator, a changed configuration or
--                   an accepted probe, and never waiting.
CREATE TABLE lane (
  id             INTEGER PRIMARY KEY,
  namespace      TEXT    NOT NULL,
  region         TEXT    NOT NULL,            -- '' follows the account's
  account        TEXT    NOT NULL,            -- 'default' unless named
  pending        INTEGER NOT NULL DEFAULT 0,  -- its rows of metric
  state          TEXT    NOT NULL DEFAULT 'ready'
                 CHECK (state IN ('ready', 'waiting', 'held')),
  since_at       INTEGER,                     -- of this state
  wake_at        INTEGER,                     -- next try or probe; NULL: none
  failures       INTEGER NOT NULL DEFAULT 0,  -- in a row; or probes of a hold
  scope          TEXT,                        -- of the verdict: 'account', ...
  held_by        TEXT,                        -- 'forwarder' or 'operator'
  held_until     INTEGER,                     -- an operator's hold ends then;
                                              -- NULL: not by itself
  reason         TEXT,                        -- why waiting or held
  code           INTEGER,                     -- the API's, if it gave one
  row_cap        INTEGER,                     -- learned; NULL: none
  byte_cap       INTEGER,                     -- learned; NULL: none
  doomed_through INTEGER,                     -- rows up to this id die as
  doomed_code    INTEGER,                     -- doomed_* says: one of them was
  doomed_message TEXT,                        -- refused alone for the lane's
  doomed_attempt INTEGER,                     -- sake (1016); NULL: no suspect
  asked          TEXT                         -- what an operator wants of a
                 CHECK (asked IN ('hold', 'release', 'probe')),
  asked_reason   TEXT,                        -- forwarder that did not see it
  asked_until    INTEGER,                     -- yet; NULL: nothing
  UNIQUE (namespace, region, account)
);

-- What the rows of a series have in common, stored once, wire text ready.
-- Series without rows are collected in idle time.
CREATE TABLE series (
  id         INTEGER PRIMARY KEY,
  lane_id    INTEGER NOT NULL REFERENCES lane (id),
  hash       INTEGER NOT NULL,  -- of lane, metric, dimensions; checked on load
  metric     TEXT    NOT NULL,
  dimensions TEXT    NOT NULL,  -- canonical JSON object, keys sorted
  wire       TEXT    NOT NULL   -- the item up to its value
);
CREATE INDEX series_hash ON series (hash);

-- The queue itself, clustered in the order in which it drains.
CREATE TABLE metric (
  lane_id     INTEGER NOT NULL,
  id          INTEGER NOT NULL,
  series_id   INTEGER NOT NULL,
  value       TEXT    NOT NULL,             -- as it goes on the wire
  accepted_at INTEGER NOT NULL,
  attempts    INTEGER NOT NULL DEFAULT 0,   -- requests that carried it
  observed_at INTEGER,                      -- when it was measured, if told
  expires_at  INTEGER,                      -- not sent after this, if told
  PRIMARY KEY (lane_id, id)
) WITHOUT ROWID;

-- Where a replayed row comes from; only replayed rows have one, pending or
-- dead.
CREATE TABLE origin (
  id        INTEGER PRIMARY KEY,            -- the row's present id
  origin_id INTEGER NOT NULL,               -- its first id
  replays   INTEGER NOT NULL,               -- how often it was replayed
  group_id  INTEGER,                        -- of operation_group: the latest
  alone     INTEGER NOT NULL DEFAULT 0      -- 1: it goes alone, a canary
);
CREATE INDEX origin_group ON origin (group_id);

-- Refused rows, with everything known about them.
CREATE TABLE dead_letter (
  id          INTEGER PRIMARY KEY,          -- the id it had when it died
  series_id   INTEGER NOT NULL REFERENCES series (id),
  value       TEXT    NOT NULL,
  accepted_at INTEGER NOT NULL,
  observed_at INTEGER,
  expires_at  INTEGER,
  attempts    INTEGER NOT NULL,
  died_at     INTEGER NOT NULL,
  cause       TEXT    NOT NULL,             -- code http oversize late ambiguous
                                            -- check import crash damage
  code        INTEGER,                      -- the API's, if it gave one
  scope       TEXT    NOT NULL,             -- whose fault it is
  message     TEXT    NOT NULL,             -- the receiver's words, escaped
  http_status INTEGER,
  attempt_id  INTEGER,                      -- the request that decided
  alone       INTEGER NOT NULL,             -- 1: it was the only row, or series
  contrast    TEXT,                         -- what was accepted beside it
  evidence    TEXT    NOT NULL DEFAULT ''   -- request and answer, one line
);
CREATE INDEX dead_letter_series ON dead_letter (series_id);
CREATE INDEX dead_letter_death ON dead_letter (died_at);

-- What an edit replaced; the oldest record of a row holds its original.  They
-- go with the row.
CREATE TABLE edit (
  id           INTEGER PRIMARY KEY,
  row_id       INTEGER NOT NULL,            -- of dead_letter, or replayed
  series_id    INTEGER NOT NULL REFERENCES series (id), -- before the edit
  edited_at    INTEGER NOT NULL,
  edited_by    TEXT    NOT NULL,
  operation_id INTEGER NOT NULL
);
CREATE INDEX edit_row ON edit (row_id);
CREATE INDEX edit_series ON edit (series_id);

-- A series one of whose rows was refused alone.  Its rows up to
-- doomed_through die as they come up, without another request; the next row
-- goes alone, as a canary.  An accepted canary clears the series.  Beyond
-- 10,000 the oldest are forgotten.
CREATE TABLE suspect (
  series_id      INTEGER PRIMARY KEY REFERENCES series (id),
  doomed_through INTEGER NOT NULL,
  code           INTEGER,
  message        TEXT    NOT NULL,
  attempt_id     INTEGER,
  since_at       INTEGER NOT NULL
);

-- The pace that an account was found to take, below the one that is set; for
-- accounts that were configured.
CREATE TABLE account (
  name                TEXT PRIMARY KEY,
  requests_per_second TEXT NOT NULL,        -- a decimal number; 0: not learned
  rows_per_minute     TEXT NOT NULL
) WITHOUT ROWID;

-- One row a request; a ring of queue.attempts_kept rows.
CREATE TABLE attempt (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  lane_id     INTEGER NOT NULL,
  first_id    INTEGER NOT NULL,
  last_id     INTEGER NOT NULL,
  ids         TEXT,                         -- "104-110,120" where it carried
                                            -- not all of the lane in between
  rows        INTEGER NOT NULL,
  bytes       INTEGER NOT NULL,             -- of the body, or of a GET's target
  started_at  INTEGER NOT NULL,
  took_ms     INTEGER NOT NULL,
  http_status INTEGER,
  code        INTEGER,
  message     TEXT    NOT NULL,
  outcome     TEXT    NOT NULL,             -- the verdict, or the transfer's end
  counted     INTEGER NOT NULL              -- 1: at least one byte of it left
);
CREATE INDEX attempt_lane ON attempt (lane_id, last_id);

-- Ids that were given and acknowledged, and are not in this file: one row for
-- each time that some were found missing.
CREATE TABLE gap (
  first_id   INTEGER PRIMARY KEY,
  last_id    INTEGER NOT NULL,
  noticed_at INTEGER NOT NULL,
  reason     TEXT    NOT NULL
);

-- Idempotency keys and the id each was given.
CREATE TABLE enqueue_key (
  key        TEXT    PRIMARY KEY,
  id         INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX enqueue_key_expiry ON enqueue_key (expires_at);

-- The settings that writers and readers obey: [queue] but path, [checks],
-- [late], [codes], [namespace], as init and the forwarder copied them.
CREATE TABLE setting (
  section TEXT NOT NULL,
  name    TEXT NOT NULL,                    -- of "[section name]", else ''
  key     TEXT NOT NULL,
  value   TEXT NOT NULL,
  PRIMARY KEY (section, name, key)
) WITHOUT ROWID;

-- Long work asked for by an operator.  Ended ones are remembered while they
-- are among the latest 1,000, or ended within the latest 30 days; but never
-- more than 100,000.  A new one removes what is past that, with its groups.
-- state: 'choosing' becomes waiting when all its rows are named (replays only);
--        'waiting'  becomes running when the first row is moved;
--        'running'  becomes done when nothing is left of it;
--        each of them becomes cancelled by an operator, or when who asked for
--        it is gone before it could be carried out.
CREATE TABLE operation (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  kind        TEXT    NOT NULL CHECK (kind IN ('replay', 'edit', 'purge', 'import')),
  state       TEXT    NOT NULL DEFAULT 'choosing' CHECK
              (state IN ('choosing', 'waiting', 'running', 'done', 'cancelled')),
  asked_by    TEXT    NOT NULL,             -- who, for people
  asked_at    INTEGER NOT NULL,
  moved_at    INTEGER NOT NULL,             -- its latest transaction
  ended_at    INTEGER,                      -- NULL: it is open
  selection   TEXT    NOT NULL,             -- what was asked for, for people
  matched     INTEGER NOT NULL DEFAULT 0,   -- rows it is about
  done        INTEGER NOT NULL DEFAULT 0,   -- rows edited, purged, imported
  skipped     INTEGER NOT NULL DEFAULT 0,   -- rows it did not touch
  canary      INTEGER NOT NULL DEFAULT 0,   -- rows of a group that go first
  replay_rate TEXT    NOT NULL DEFAULT '0'  -- rows a second, a decimal number
);
CREATE INDEX operation_open ON operation (id) WHERE ended_at IS NULL;

-- Rows of a replay that died alike: some go first, as canaries.
-- state: 'waiting'  becomes canary when those are moved;
--        'canary'   becomes moving when all of them were accepted, refused
--                   when one was not;
--        'moving'   becomes moved with the last row; without canaries, a
--                   group begins so.
CREATE TABLE operation_group (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  operation_id  INTEGER NOT NULL REFERENCES operation (id),
  lane_id       INTEGER NOT NULL,
  code          INTEGER,
  metric        TEXT    NOT NULL,
  state         TEXT    NOT NULL CHECK
                (state IN ('waiting', 'canary', 'moving', 'moved', 'refused')),
  matched       INTEGER NOT NULL DEFAULT 0, -- rows
  replayed      INTEGER NOT NULL DEFAULT 0, -- of them, moved to pending
  delivered     INTEGER NOT NULL DEFAULT 0, -- of those
  refused_again INTEGER NOT NULL DEFAULT 0  -- of those: they are dead again
);
CREATE INDEX operation_group_operation ON operation_group (operation_id);

-- Dead rows that an operation has still to move.
CREATE TABLE operation_row (
  group_id INTEGER NOT NULL REFERENCES operation_group (id),
  row_id   INTEGER NOT NULL,                -- of dead_letter; may be gone
  PRIMARY KEY (group_id, row_id)
) WITHOUT ROWID;

-- One row a minute, a ring: what the ledger counted at its end.
CREATE TABLE history (
  minute    INTEGER PRIMARY KEY,            -- Unix minutes
  accepted  INTEGER NOT NULL,
  delivered INTEGER NOT NULL,
  dead      INTEGER NOT NULL,
  pending   INTEGER NOT NULL
);

-- What the forwarder last said of itself, so that an inspector never asks
-- it.  Whether it runs is read from its lock.  One row.
CREATE TABLE forwarder (
  id              INTEGER PRIMARY KEY CHECK (id = 1),
  started_at      INTEGER,
  last_success_at INTEGER,
  endpoint        TEXT,
  last_error      TEXT,
  failing_since   INTEGER,
  tries           INTEGER NOT NULL DEFAULT 0
);
INSERT INTO forwarder (id) VALUES (1);
