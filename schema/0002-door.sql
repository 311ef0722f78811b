-- monspool queue, schema 2: the SQL door.
--
-- What a program may do that speaks SQL and nothing else, with the sqlite3
-- shell or any language's binding, SQLite 3.38 or later, JSON included:
--
--   PRAGMA busy_timeout = 5000;
--   PRAGMA synchronous = FULL;
--   PRAGMA wal_autocheckpoint = 0;
--   INSERT INTO monspool_put (namespace, metric, dimensions, value)
--     VALUES ('cvm', 'diskusage', '{"ip":"10.0.0.1"}', 30);
--
-- and SELECT from monspool_pending, _dead, _lanes, _ledger, _attempts.  The
-- three PRAGMAs are needed on every connection; it must never checkpoint,
-- VACUUM or change the journal mode.  Names that begin with monspool_ are for
-- all, and columns are only added; all else is private.
--
-- monspoold and monspool never come in here: on their connections triggers
-- and views are off.

-- The settings that writers obey become plain numbers, bytes and milliseconds,
-- so that SQL can read them: "16K" is 16384, "1d12h" is 129600000ms.
UPDATE setting SET value = CAST(value AS INTEGER) *
    CASE upper(substr(rtrim(rtrim(value, 'Bb'), 'i'), -1))
      WHEN 'K' THEN 1024 WHEN 'M' THEN 1048576 WHEN 'G' THEN 1073741824
      WHEN 'T' THEN 1099511627776 ELSE 1 END
  WHERE (section, key) IN (('queue', 'max_size'), ('queue', 'reserve'),
    ('queue', 'wal_max'), ('checks', 'max_row_bytes'));
WITH RECURSIVE piece (name, key, rest, ms) AS (
  SELECT name, key, replace(value, 'ms', 'x'), 0 FROM setting
    WHERE section = 'queue' AND key IN ('key_memory', 'max_age', 'busy_timeout')
  UNION ALL
  SELECT name, key,
    substr(rest, length(CAST(CAST(rest AS INTEGER) AS TEXT)) + 2),
    ms + CAST(rest AS INTEGER) *
      CASE substr(rest, length(CAST(CAST(rest AS INTEGER) AS TEXT)) + 1, 1)
        WHEN 'x' THEN 1 WHEN 'm' THEN 60000 WHEN 'h' THEN 3600000
        WHEN 'd' THEN 86400000 WHEN 'w' THEN 604800000 ELSE 1000 END
    FROM piece WHERE rest <> ''
)
UPDATE setting SET value =
    (SELECT ms || 'ms' FROM piece
      WHERE piece.key = setting.key AND piece.rest = '')
  WHERE section = 'queue' AND key IN ('key_memory', 'max_age', 'busy_timeout');

-- SQL cannot compute series.hash: a series made by the door has hash 0, and is
-- found again by its texts.  No other has that hash.  (IS: with "=" SQLite
-- would prepare every look for a hash anew, in case it were 0.)  Where the same series
-- comes through the C library as well it stands twice, which is harmless.
CREATE INDEX series_door ON series (lane_id, metric, dimensions)
  WHERE hash IS 0;

CREATE VIEW monspool_door (version) AS SELECT 1;

-- The copy of the settings, one row, and what no text may have: control
-- characters, and those that steer the direction of text.  A limit of a strict
-- check that is off is as large as no text can be.  (Short, since each program
-- that opens the queue reads all of this.)
CREATE VIEW door_setting (strict, max_namespace, max_region, max_name,
  max_dimensions, max_dimension_value, max_row_bytes, max_size, key_memory_ms,
  steers)
AS SELECT strict, iif(strict, min(max_namespace, 255), 255),
    iif(strict, 32, 255), iif(strict, max_name, 1e9),
    iif(strict AND max_dimensions, max_dimensions, 1e9),
    iif(strict AND max_dimension_value, max_dimension_value, 1e9),
    max_row_bytes, max_size, key_memory_ms,
    '*[' || char(1, 45, 31, 127, 45, 159, 1564, 8206, 8207, 8232, 45, 8238,
      8294, 45, 8297, 65279) || ']*'
  FROM (SELECT
      NOT EXISTS (SELECT 1 FROM setting WHERE section = 'checks'
        AND key = 'strict' AND value = 'no') AS strict,
      ifnull(max(n) FILTER (WHERE key = 'max_namespace'), 32) AS max_namespace,
      ifnull(max(n) FILTER (WHERE key = 'max_name'), 64) AS max_name,
      ifnull(max(n) FILTER (WHERE key = 'max_dimensions'), 5)
        AS max_dimensions,
      ifnull(max(n) FILTER (WHERE key = 'max_dimension_value'), 256)
        AS max_dimension_value,
      ifnull(max(n) FILTER (WHERE key = 'max_row_bytes'), 16384)
        AS max_row_bytes,
      ifnull(max(n) FILTER (WHERE key = 'max_size'), 2147483648) AS max_size,
      ifnull(max(n) FILTER (WHERE key = 'key_memory'), 604800000)
        AS key_memory_ms
    FROM (SELECT key, CAST(value AS INTEGER) AS n FROM setting
      WHERE section IN ('queue', 'checks')));

-- A put in four steps.  Each view is a procedure and its columns are the
-- variables, since a trigger has none.  Every constraint is checked before
-- anything is written: INSERT OR IGNORE would skip single statements of a
-- trigger, and the ledger with them.

-- 1. What is given, and of which type.
CREATE VIEW monspool_put (namespace, metric, dimensions, value, region, account,
  key, observed_ms, max_age_seconds)
AS SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL WHERE 0;
CREATE TRIGGER monspool_put_insert INSTEAD OF INSERT ON monspool_put
BEGIN
  SELECT CASE
    WHEN NEW.namespace IS NULL
      THEN RAISE(ABORT, 'monspool: namespace is missing')
    WHEN typeof(NEW.namespace) <> 'text'
      THEN RAISE(ABORT, 'monspool: namespace is not text')
    WHEN NEW.metric IS NULL
      THEN RAISE(ABORT, 'monspool: metric name is missing')
    WHEN typeof(NEW.metric) <> 'text'
      THEN RAISE(ABORT, 'monspool: metric name is not text')
    WHEN NEW.value IS NULL
      THEN RAISE(ABORT, 'monspool: value is missing')
    WHEN typeof(NEW.value) NOT IN ('integer', 'real')
      THEN RAISE(ABORT, 'monspool: value is not a number')
    WHEN typeof(NEW.value) = 'real'
        AND NEW.value NOT BETWEEN -1.7976931348623157e308
          AND 1.7976931348623157e308
      THEN RAISE(ABORT, 'monspool: value is not a finite number')
    WHEN typeof(NEW.region) NOT IN ('null', 'text')
      THEN RAISE(ABORT, 'monspool: region is not text')
    WHEN typeof(NEW.account) NOT IN ('null', 'text')
      THEN RAISE(ABORT, 'monspool: account is not text')
    WHEN typeof(NEW.key) NOT IN ('null', 'text')
      THEN RAISE(ABORT, 'monspool: idempotency key is not text')
    WHEN typeof(NEW.observed_ms) NOT IN ('null', 'integer')
        OR NEW.observed_ms NOT BETWEEN 0 AND 253402300799999
      THEN RAISE(ABORT, 'monspool: observed_ms is no time (milliseconds since 1970, a whole number)')
    WHEN typeof(NEW.max_age_seconds) NOT IN ('null', 'integer')
        OR NEW.max_age_seconds NOT BETWEEN 1 AND 31556952000
      THEN RAISE(ABORT, 'monspool: max_age_seconds is no age limit (a whole number from 1)')
    WHEN typeof(NEW.dimensions) NOT IN ('null', 'text')
        OR NEW.dimensions NOTNULL AND NOT json_valid(NEW.dimensions)
      THEN RAISE(ABORT, 'monspool: dimensions are not JSON')
    WHEN json_type(NEW.dimensions) <> 'object'
      THEN RAISE(ABORT, 'monspool: dimensions are not a JSON object')
  END;
  -- A NUL ends a text for some of SQLite's functions and not for others.
  SELECT RAISE(ABORT, 'monspool: a text has a NUL character')
    WHERE instr(CAST(NEW.namespace || NEW.metric || ifnull(NEW.region, '') ||
          ifnull(NEW.account, '') || ifnull(NEW.key, '') ||
          ifnull(NEW.dimensions, '') AS BLOB), x'00')
      OR instr(replace(NEW.dimensions, '\\', ''), '\u0000');
  INSERT INTO door_entry (namespace, metric, dimensions, value, region, account,
      key, observed_at, max_age_ms, now)
    VALUES (NEW.namespace || '', NEW.metric || '',
      ifnull(NEW.dimensions, '{}'), NEW.value, ifnull(NEW.region, ''),
      ifnull(NEW.account, 'default'), NEW.key, NEW.observed_ms,
      NEW.max_age_seconds * 1000,
      CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER));
END;

-- 2. Names, limits and dimensions; then the texts that go on the wire.
CREATE VIEW door_entry (namespace, metric, dimensions, value, region, account,
  key, observed_at, max_age_ms, now)
AS SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL WHERE 0;
CREATE TRIGGER door_entry_insert INSTEAD OF INSERT ON door_entry
BEGIN
  SELECT CASE
    WHEN NEW.namespace = ''
      THEN RAISE(ABORT, 'monspool: namespace is empty')
    WHEN NEW.metric = ''
      THEN RAISE(ABORT, 'monspool: metric name is empty')
    WHEN NEW.account = ''
      THEN RAISE(ABORT, 'monspool: account is empty')
    WHEN NEW.key = ''
      THEN RAISE(ABORT, 'monspool: idempotency key is empty')
    WHEN strict AND NEW.namespace GLOB '*[^A-Za-z0-9_]*'
      THEN RAISE(ABORT, 'monspool: namespace has another character than letters, digits and _')
    WHEN strict AND NEW.metric GLOB '*[^A-Za-z0-9_]*'
      THEN RAISE(ABORT, 'monspool: metric name has another character than letters, digits and _')
    WHEN strict AND NEW.region GLOB '*[^a-z0-9-]*'
      THEN RAISE(ABORT, 'monspool: region has another character than a-z, digits and -')
    WHEN NEW.namespace GLOB steers OR NEW.metric GLOB steers
        OR NEW.region GLOB steers OR NEW.account GLOB steers
        OR NEW.key GLOB steers
      THEN RAISE(ABORT, 'monspool: a text has a control character')
    WHEN length(CAST(NEW.namespace AS BLOB)) > max_namespace
      THEN RAISE(ABORT, 'monspool: namespace is too long')
    WHEN length(CAST(NEW.metric AS BLOB)) > max_name
      THEN RAISE(ABORT, 'monspool: metric name is too long')
    WHEN length(CAST(NEW.region AS BLOB)) > max_region
      THEN RAISE(ABORT, 'monspool: region is too long')
    WHEN length(CAST(NEW.account AS BLOB)) > 127
      THEN RAISE(ABORT, 'monspool: account is too long')
    WHEN length(CAST(NEW.key AS BLOB)) > 512
      THEN RAISE(ABORT, 'monspool: idempotency key is too long')
  END FROM door_setting;
  SELECT CASE
    WHEN type NOT IN ('text', 'integer', 'real')
        OR strict AND type <> 'text'
      THEN RAISE(ABORT, 'monspool: a dimension value is not a string')
    WHEN key = ''
      THEN RAISE(ABORT, 'monspool: a dimension name is empty')
    WHEN key GLOB steers OR atom GLOB steers
      THEN RAISE(ABORT, 'monspool: a dimension has a control character')
    WHEN length(CAST(key AS BLOB)) > max_name
      THEN RAISE(ABORT, 'monspool: a dimension name is too long')
    WHEN length(CAST(atom AS BLOB)) > max_dimension_value
      THEN RAISE(ABORT, 'monspool: a dimension value is too long')
  END FROM json_each(NEW.dimensions), door_setting;
  SELECT CASE
    WHEN count(*) <> count(DISTINCT key)
      THEN RAISE(ABORT, 'monspool: a dimension is given twice')
    WHEN count(*) > (SELECT max_dimensions FROM door_setting)
      THEN RAISE(ABORT, 'monspool: too many dimensions')
  END FROM json_each(NEW.dimensions);
  -- A real number becomes the shortest digits that read back to it, as the
  -- library writes it.  Of 15, 16 and 17 digits the fewest are taken that are
  -- proved: both parts of a quotient or product are exact, so that it is
  -- rounded correctly; or one more in the 18th digit, up or down, still reads
  -- back, which is more than SQLite's reader errs.  17 always do.  Where its
  -- printer errs as well, beyond 1e60 and 1e-60, it takes 18.
  INSERT INTO door_row (namespace, region, account, metric, dimensions, value,
      key, observed_at, expires_at, now)
    SELECT NEW.namespace, NEW.region, NEW.account, NEW.metric,
      (SELECT json_group_object(key, text) FROM (
        SELECT key || '' AS key, CASE type WHEN 'text' THEN atom || ''
            ELSE ifnull(NEW.dimensions -> ('$."' || key || '"'), atom || '')
          END AS text
        FROM json_each(NEW.dimensions) ORDER BY key)),
      CASE
        WHEN typeof(NEW.value) = 'integer' THEN NEW.value || ''
        WHEN NEW.value = 0 THEN '0'
        ELSE substr('-', 1, NEW.value < 0) || CASE
          WHEN tens BETWEEN 0 AND 20 AND length(digits) <= tens + 1
            THEN digits || substr('00000000000000000000', 1,
              tens + 1 - length(digits))
          WHEN tens BETWEEN 0 AND 20
            THEN substr(digits, 1, tens + 1) || '.' || substr(digits, tens + 2)
          WHEN tens BETWEEN -7 AND -1
            THEN '0.' || substr('000000', 1, -tens - 1) || digits
          WHEN length(digits) = 1 THEN digits || 'e' || tens
          ELSE substr(digits, 1, 1) || '.' || substr(digits, 2) || 'e' || tens
        END END,
      NEW.key, NEW.observed_at, NEW.now + NEW.max_age_ms, NEW.now
    FROM (SELECT digits, tens FROM (
      SELECT places, size, digits, tens, CAST(digits AS INTEGER) AS whole,
        tens - length(digits) + 1 AS power
      FROM (SELECT places, size,
          rtrim(replace(substr(e, 1, instr(e, 'e') - 1), '.', ''), '0')
            AS digits,
          CAST(substr(e, instr(e, 'e') + 1) AS INTEGER) AS tens
        FROM (SELECT atom AS places, abs(CAST(NEW.value AS REAL)) AS size,
            printf('%!.' || atom || 'e', abs(CAST(NEW.value AS REAL))) AS e
          FROM json_each('[14,15,16,17]'))))
    WHERE places = 17 OR tens BETWEEN -60 AND 60 AND (places = 16
      OR whole < 9007199254740992 AND power BETWEEN -22 AND 0
        AND CAST(whole AS REAL) / CAST('1e' || -power AS REAL) = size
      OR whole < 9007199254740992 AND power BETWEEN 1 AND 22
        AND CAST(whole AS REAL) * CAST('1e' || power AS REAL) = size
      OR places = 14 AND length(digits) <= 15
        AND CAST((whole * 1000 - 1) || 'e' || (power - 3) AS REAL) = size
        AND CAST((whole * 1000 + 1) || 'e' || (power - 3) AS REAL) = size
      OR places = 15 AND length(digits) = 16
        AND CAST((whole * 100 - 1) || 'e' || (power - 2) AS REAL) = size
        AND CAST((whole * 100 + 1) || 'e' || (power - 2) AS REAL) = size)
    ORDER BY places LIMIT 1);
END;

-- 3. The row as a whole, the bound of the queue, and the key.
CREATE VIEW door_row (namespace, region, account, metric, dimensions, value,
  key, observed_at, expires_at, now)
AS SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL WHERE 0;
CREATE TRIGGER door_row_insert INSTEAD OF INSERT ON door_row
BEGIN
  -- Each character is taken apart and put together again; what then differs
  -- was no UTF-8.  U+FFFE and U+FFFF are, though SQLite does not read them.
  SELECT RAISE(ABORT, 'monspool: a text is not valid UTF-8')
    FROM (SELECT replace(replace(NEW.namespace || ',' || NEW.region || ',' ||
          NEW.account || ',' || ifnull(NEW.key, '') || ',' || NEW.metric ||
          ',' || NEW.dimensions, char(65534), ''), char(65535), '') AS text)
    WHERE text GLOB '*[^ -~]*' AND EXISTS (
      SELECT 1 FROM json_each('[' || rtrim(replace(
          hex(zeroblob(length(text))), '00', '0,'), ',') || ']') AS at
        WHERE char(unicode(substr(text, at.key + 1, 1)))
          <> substr(text, at.key + 1, 1));
  SELECT CASE
    WHEN max_row_bytes > 0 AND length(CAST(NEW.dimensions AS BLOB)) +
        length(CAST(json_quote(NEW.metric) AS BLOB)) + length(NEW.value) + 38
        > max_row_bytes
      THEN RAISE(ABORT, 'monspool: the row is too large for the wire')
    WHEN max_size > 0 AND (SELECT (page_count - freelist_count) * page_size
        FROM pragma_page_count, pragma_freelist_count, pragma_page_size)
        >= max_size - min(max_size / 4, 4194304)
      THEN RAISE(ABORT, 'monspool: the queue is full')
    WHEN NOT EXISTS (SELECT 1 FROM ledger WHERE id = 1)
      THEN RAISE(ABORT, 'monspool: the queue is damaged (no ledger)')
  END FROM door_setting;
  UPDATE ledger SET duplicates = duplicates + 1
    WHERE id = 1 AND EXISTS (SELECT 1 FROM enqueue_key
      WHERE key = NEW.key AND expires_at > NEW.now);
  INSERT INTO door_accept (namespace, region, account, metric, dimensions, wire,
      value, key, observed_at, expires_at, now)
    SELECT NEW.namespace, NEW.region, NEW.account, NEW.metric, NEW.dimensions,
      '{"dimensions":' || NEW.dimensions || ',"metricName":' ||
      json_quote(NEW.metric) || ',"value":', NEW.value, NEW.key,
      NEW.observed_at, NEW.expires_at, NEW.now
    WHERE NOT EXISTS (SELECT 1 FROM enqueue_key
      WHERE key = NEW.key AND expires_at > NEW.now);
END;

-- 4. The row is stored, and counted.
CREATE VIEW door_accept (namespace, region, account, metric, dimensions, wire,
  value, key, observed_at, expires_at, now)
AS SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  WHERE 0;
CREATE TRIGGER door_accept_insert INSTEAD OF INSERT ON door_accept
BEGIN
  INSERT INTO lane (namespace, region, account)
    SELECT NEW.namespace, NEW.region, NEW.account
    WHERE NOT EXISTS (SELECT 1 FROM lane WHERE namespace = NEW.namespace
      AND region = NEW.region AND account = NEW.account);
  INSERT INTO series (lane_id, hash, metric, dimensions, wire)
    SELECT lane.id, 0, NEW.metric, NEW.dimensions, NEW.wire FROM lane
    WHERE lane.namespace = NEW.namespace AND lane.region = NEW.region
      AND lane.account = NEW.account
      AND NOT EXISTS (SELECT 1 FROM series WHERE series.hash IS 0
        AND series.lane_id = lane.id AND series.metric = NEW.metric
        AND series.dimensions = NEW.dimensions);
  UPDATE ledger SET last_id = last_id + 1, accepted = accepted + 1,
    pending = pending + 1 WHERE id = 1;
  UPDATE lane SET pending = pending + 1 WHERE namespace = NEW.namespace
    AND region = NEW.region AND account = NEW.account;
  SELECT RAISE(ABORT, 'monspool: the queue is damaged (an id is given twice)')
    FROM ledger JOIN lane ON lane.namespace = NEW.namespace
      AND lane.region = NEW.region AND lane.account = NEW.account
    JOIN metric ON metric.lane_id = lane.id AND metric.id = ledger.last_id
    WHERE ledger.id = 1;
  INSERT INTO metric (lane_id, id, series_id, value, accepted_at, observed_at,
      expires_at)
    SELECT lane.id, ledger.last_id, min(series.id), NEW.value, NEW.now,
      NEW.observed_at, NEW.expires_at
    FROM ledger JOIN lane ON lane.namespace = NEW.namespace
      AND lane.region = NEW.region AND lane.account = NEW.account
    JOIN series ON series.hash IS 0 AND series.lane_id = lane.id
      AND series.metric = NEW.metric AND series.dimensions = NEW.dimensions
    WHERE ledger.id = 1
    GROUP BY lane.id;
  DELETE FROM enqueue_key WHERE NEW.key IS NOT NULL
    AND (key = NEW.key OR key IN (SELECT key FROM enqueue_key
      WHERE expires_at <= NEW.now ORDER BY expires_at LIMIT 100));
  INSERT INTO enqueue_key (key, id, expires_at)
    SELECT NEW.key, ledger.last_id, NEW.now + key_memory_ms
    FROM ledger, door_setting WHERE ledger.id = 1 AND NEW.key IS NOT NULL;
END;

-- What there is to see; columns as the members of --json, times as text.

CREATE VIEW monspool_ledger (accepted, pending, delivered, dead, expired,
  dropped, purged, replayed, missing, duplicates, ambiguous, last_id)
AS SELECT accepted, pending, delivered, dead, expired, dropped, purged,
    replayed, missing, duplicates, ambiguous, last_id
  FROM ledger WHERE id = 1;

CREATE VIEW monspool_lanes (namespace, region, account, state, pending, reason,
  code, since, wake_at)
AS SELECT namespace, region, account, state, pending, reason, code,
    strftime('%Y-%m-%dT%H:%M:%fZ', since_at / 1000.0, 'unixepoch'),
    strftime('%Y-%m-%dT%H:%M:%fZ', wake_at / 1000.0, 'unixepoch')
  FROM lane;

CREATE VIEW monspool_pending (id, namespace, region, account, metric,
  dimensions, value, state, attempts, accepted_at, observed_at, expires_at,
  origin_id)
AS SELECT metric.id, lane.namespace, lane.region, lane.account, series.metric,
    series.dimensions, metric.value, lane.state, metric.attempts,
    strftime('%Y-%m-%dT%H:%M:%fZ', metric.accepted_at / 1000.0, 'unixepoch'),
    strftime('%Y-%m-%dT%H:%M:%fZ', metric.observed_at / 1000.0, 'unixepoch'),
    strftime('%Y-%m-%dT%H:%M:%fZ', metric.expires_at / 1000.0, 'unixepoch'),
    (SELECT origin_id FROM origin WHERE origin.id = metric.id)
  FROM metric JOIN lane ON lane.id = metric.lane_id
  LEFT JOIN series ON series.id = metric.series_id;

CREATE VIEW monspool_dead (id, namespace, region, account, metric, dimensions,
  value, code, cause, message, attempts, accepted_at, died_at, replays,
  origin_id, http_status, evidence)
AS SELECT dead_letter.id, lane.namespace, lane.region, lane.account,
    series.metric, series.dimensions, dead_letter.value, dead_letter.code,
    dead_letter.cause, dead_letter.message, dead_letter.attempts,
    strftime('%Y-%m-%dT%H:%M:%fZ', dead_letter.accepted_at / 1000.0, 'unixepoch'),
    strftime('%Y-%m-%dT%H:%M:%fZ', dead_letter.died_at / 1000.0, 'unixepoch'),
    ifnull((SELECT replays FROM origin WHERE origin.id = dead_letter.id), 0),
    (SELECT origin_id FROM origin WHERE origin.id = dead_letter.id),
    dead_letter.http_status, dead_letter.evidence
  FROM dead_letter LEFT JOIN series ON series.id = dead_letter.series_id
  LEFT JOIN lane ON lane.id = series.lane_id;

CREATE VIEW monspool_attempts (id, namespace, region, account, first_id,
  last_id, ids, rows, bytes, at, took_ms, http_status, code, message, outcome)
AS SELECT attempt.id, lane.namespace, lane.region, lane.account,
    attempt.first_id, attempt.last_id, attempt.ids, attempt.rows,
    attempt.bytes,
    strftime('%Y-%m-%dT%H:%M:%fZ', attempt.started_at / 1000.0, 'unixepoch'),
    attempt.took_ms, attempt.http_status, attempt.code, attempt.message,
    attempt.outcome
  FROM attempt LEFT JOIN lane ON lane.id = attempt.lane_id;
