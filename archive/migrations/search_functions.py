"""The functions through which people search, as the migration makes them.

They run as the owner, because a text search under row-level security tests every row of the table: the operator is not
leakproof, so no index may be used. Each asks ``archive.readable_classes()`` itself, and leaves out what an event after
the index's last one may have hidden.

``criteria``: an object with ``levels``, the best first, each ``{"on": "symbol"|"prefix"|"head"|"words"|"all",
"query": …}``; a document is given at the first level where it matches. A level's ``check`` is the whole query, where
``query`` is only what the index answers without reading rows; of its ``gauges`` the rarest says how many can match.
``facts`` (with ``facts_check``) must match the head where a level's query does not say so already; what matches
``without`` is left out. ``from`` and ``to`` are days of issue, ``recalled`` asks for recalled documents, too.
"""

from __future__ import annotations

MAY_SEE_RECALLED = """
CREATE FUNCTION archive.may_see_recalled() RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT 'personal' = ANY (archive.readable_classes())
$$
"""

# Documents that an event has touched which the index does not know yet, and that may hide them.
JUST_HIDDEN = """
CREATE FUNCTION archive.search_just_hidden() RETURNS uuid[] LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(array_agg(object::uuid), '{}') FROM archive.event
  WHERE seq > coalesce((SELECT ledger_seq FROM archive.search_state), 0)
    AND type IN ('recall', 'access change', 'deletion', 'deaccession')
    AND object ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
$$
"""

# What the index answers of a level, as text of SQL; and beside it what is asked of rows.
CONDITION = """
CREATE FUNCTION archive.search_condition(level jsonb, criteria jsonb) RETURNS text LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT concat_ws(' AND ',
    CASE level->>'on'
      WHEN 'symbol' THEN format('e.symbol_norm = %L', level->>'query')
      WHEN 'prefix' THEN format('e.symbol_norm >= %L AND e.symbol_norm < %L', level->>'query',
        level->>'query' || '~')
      WHEN 'head' THEN format('e.head @@ %L::tsquery', level->>'query')
      WHEN 'words' THEN format('e.words @@ %L::tsquery', level->>'query')
      WHEN 'all' THEN 'true' END,
    CASE WHEN criteria ? 'facts' AND level->>'on' NOT IN ('head', 'words')
      THEN format('e.head @@ %L::tsquery', criteria->>'facts') END,
    -- The day of issue is that of the order, where there is one; asked for twice, it would be taken for rarer.
    CASE WHEN criteria ? 'from' THEN format('e.sort_date >= %L', criteria->>'from') END,
    CASE WHEN criteria ? 'to' THEN format('e.sort_date <= %L', criteria->>'to') END,
    CASE WHEN criteria ?| ARRAY['from', 'to'] THEN 'e.issued_date IS NOT NULL' END,
    CASE WHEN NOT coalesce((criteria->>'recalled')::boolean, false) THEN 'NOT e.recalled' END)
$$
"""

CHECK = """
CREATE FUNCTION archive.search_check(level jsonb) RETURNS text LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE level->>'on'
    WHEN 'symbol' THEN format('e.symbol_norm IS NOT DISTINCT FROM %L', level->>'query')
    WHEN 'prefix' THEN format('coalesce(starts_with(e.symbol_norm, %L), false)', level->>'query')
    WHEN 'all' THEN 'true'
    ELSE format('e.%I @@ %L::tsquery', level->>'on', coalesce(level->>'check', level->>'query')) END
$$
"""

# What holds on all levels and is slow to test: weights and places of facts, and unwanted words, which may stand
# outside of what names a document.
CHECK_ALL = """
CREATE FUNCTION archive.search_check_all(criteria jsonb) RETURNS text LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT concat_ws(' AND ', 'true',
    CASE WHEN criteria ? 'facts_check' THEN format('e.head @@ %L::tsquery', criteria->>'facts_check') END,
    CASE WHEN criteria ? 'without' THEN format('NOT e.words @@ %L::tsquery', criteria->>'without') END)
$$
"""

# How many rows the planner expects for each condition, and of these the least. Volatile, because PostgreSQL lets no
# other function ask.
ESTIMATE = """
CREATE FUNCTION archive.search_estimate(conditions text[]) RETURNS float LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp SET max_parallel_workers_per_gather = 0 AS $$
DECLARE plan jsonb;
BEGIN
  EXECUTE 'EXPLAIN (FORMAT JSON) ' || (
    SELECT string_agg('(SELECT FROM archive.search_entry e WHERE ' || c || ')', ' UNION ALL ')
    FROM unnest(conditions) AS c) INTO plan;
  plan := plan->0->'Plan';
  IF cardinality(conditions) = 1 THEN RETURN (plan->>'Plan Rows')::float; END IF;
  RETURN (SELECT min((p->>'Plan Rows')::float) FROM jsonb_array_elements(plan->'Plans') AS p);
END $$
"""

# How many documents may match a level at most.
EXPECTED = """
CREATE FUNCTION archive.search_expected(level jsonb) RETURNS float LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE WHEN level->>'on' IN ('symbol', 'prefix') THEN 0
    WHEN level ? 'gauges' THEN archive.search_estimate(ARRAY(
      SELECT format('e.%I @@ %L::tsquery', CASE level->>'on' WHEN 'words' THEN 'words' ELSE 'head' END, g)
      FROM jsonb_array_elements_text(level->'gauges') AS g))
    ELSE 'infinity' END
$$
"""

# The columns of a found document, as far as its reader may see it: asked of the rows of ``found`` one by one, in order.
ROWS_OF = """
CREATE FUNCTION archive.search_rows_of(found text, level text, checked text) RETURNS text LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT 'SELECT r.* FROM (' || found || ') m CROSS JOIN LATERAL (
    SELECT e.document_id, ' || level || ' AS level, e.sort_date, e.source::text, d.source_key::text, e.kind::text,
      e.version, v.symbol, v.subject, v.issuer_name, v.type_name, e.issued_date, e.direction::text, v.signers,
      e.verdict::text, e.file_types, d.access::text, e.recalled
    FROM archive.search_entry e JOIN archive.document d ON d.id = e.document_id
    JOIN archive.document_version v ON v.document_id = e.document_id AND v.version = e.version
    WHERE e.document_id = m.document_id AND d.access = ANY ($1) AND e.document_id <> ALL ($2) AND ' || checked
  || ' OFFSET 0) r '
$$
"""

# All levels at once where few documents match: they are gathered, and each gets the first level that it matches.
FEW = """
CREATE FUNCTION archive.search_few(criteria jsonb) RETURNS uuid[] LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  levels jsonb := criteria->'levels';
  condition text := archive.search_condition(levels->-1, criteria);
  few int := 800;
  ids uuid[];
BEGIN
  IF archive.search_estimate(ARRAY[condition]) > few THEN RETURN NULL; END IF;
  SELECT string_agg('(' || c || ')', ' OR ') INTO condition FROM (
    SELECT condition AS c UNION ALL SELECT archive.search_condition(l, criteria) FROM jsonb_array_elements(levels) AS l
    WHERE l->>'on' IN ('symbol', 'prefix')) AS conditions;
  EXECUTE format('SELECT array_agg(document_id) FROM (
    SELECT e.document_id FROM archive.search_entry e WHERE %s LIMIT %s) AS f', condition, few + 1) INTO ids;
  RETURN CASE WHEN coalesce(cardinality(ids), 0) <= few THEN coalesce(ids, '{}') END;
END $$
"""

# Frequent documents are found among the newest rows, rare ones by gathering all that match. The size of the ``span``
# of rows that is looked through first comes from how many can match; a small one is walked, a larger one is gathered.
# Words lie outside of their row and are slow to test, which the costs tell the planner.
SEARCH = """
CREATE FUNCTION archive.search(criteria jsonb, most int, after_level int DEFAULT NULL, after_date date DEFAULT NULL,
  after_document uuid DEFAULT NULL)
RETURNS TABLE (document_id uuid, level int, sort_date date, source text, source_key text, kind text, version int,
  symbol text, subject text, issuer_name text, type_name text, issued_date date, direction text, signers text[],
  verdict text, file_types text[], access text, recalled boolean)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off
SET max_parallel_workers_per_gather = 0 SET cpu_operator_cost = 0.1 AS $$
DECLARE
  newest text := ' ORDER BY e.sort_date DESC, e.document_id DESC ';
  in_order text := 'ORDER BY m.sort_date DESC, m.document_id DESC LIMIT $3';
  levels jsonb := criteria->'levels';
  classes text[] := archive.readable_classes();
  hidden uuid[] := archive.search_just_hidden();
  rows_in_all float := (SELECT greatest(reltuples, 1) FROM pg_class WHERE oid = 'archive.search_entry'::regclass);
  left_to_find int := least(most, 1000);
  few uuid[]; checked text; days text; condition text; level_of text; expected float; walkable int; span float;
  below_date date; below_document uuid; edge_date date; place text; found int;
BEGIN
  IF NOT archive.may_see_recalled() THEN criteria := criteria - 'recalled'; END IF;
  checked := archive.search_check_all(criteria);
  IF jsonb_array_length(levels) > 1 THEN
    few := archive.search_few(criteria);
  END IF;
  IF few IS NOT NULL THEN
    SELECT 'CASE ' || string_agg(format('WHEN %s THEN %s', archive.search_check(l), n), ' ') || ' END'
      INTO level_of FROM jsonb_array_elements(levels) WITH ORDINALITY AS x (l, n);
    RETURN QUERY EXECUTE archive.search_rows_of('SELECT unnest($4) AS document_id', level_of, checked)
      || 'WHERE r.level > $5 OR (r.level = $5 AND ($6 IS NULL OR (r.sort_date, r.document_id) < ($6, $7)))
      ORDER BY r.level, r.sort_date DESC, r.document_id DESC LIMIT $3'
      USING classes, hidden, left_to_find, few, coalesce(after_level, 1), after_date, after_document;
    RETURN;
  END IF;
  days := concat(' AND e.sort_date >= ' || quote_literal(criteria->>'from'),
    ' AND e.sort_date <= ' || quote_literal(criteria->>'to'));
  FOR n IN coalesce(after_level, 1) .. jsonb_array_length(levels) LOOP
    EXIT WHEN left_to_find = 0;  -- before the planner is asked about what is not shown
    condition := archive.search_condition(levels->(n - 1), criteria);
    checked := archive.search_check_all(criteria);
    IF levels->(n - 1) ? 'check' THEN
      checked := checked || ' AND ' || archive.search_check(levels->(n - 1));
    END IF;
    FOR b IN 0 .. n - 2 LOOP
      checked := checked || ' AND NOT ' || archive.search_check(levels->b);
    END LOOP;
    below_date := CASE WHEN n = after_level THEN after_date END;
    below_document := CASE WHEN n = after_level THEN after_document END;
    expected := archive.search_expected(levels->(n - 1));
    walkable := CASE levels->(n - 1)->>'on' WHEN 'words' THEN 1500 WHEN 'head' THEN 12000 WHEN 'all' THEN 20000
      ELSE 0 END;
    -- Where the planner expects few, for it knows of all conditions together, they are gathered at once.
    span := CASE WHEN expected > 3000 AND archive.search_estimate(ARRAY[condition]) > 1000
      THEN greatest(200, 4 * left_to_find * rows_in_all / expected) END;
    WHILE left_to_find > 0 LOOP
      place := concat(days, CASE WHEN below_date IS NOT NULL THEN ' AND (e.sort_date, e.document_id) < ($4, $5)' END);
      edge_date := NULL;
      IF span < rows_in_all / 2 THEN
        EXECUTE 'SELECT e.sort_date FROM archive.search_entry e WHERE true' || place || newest
          || format('OFFSET %s LIMIT 1', span::bigint - 1)
          INTO edge_date USING classes, hidden, 0, below_date, below_document;
        place := concat(place, CASE WHEN edge_date IS NOT NULL THEN ' AND e.sort_date >= $6' END);
      END IF;
      RETURN QUERY EXECUTE archive.search_rows_of('SELECT e.sort_date, e.document_id FROM '
        || CASE WHEN span <= walkable
          THEN '(SELECT * FROM archive.search_entry e WHERE true' || place || newest || 'OFFSET 0) e WHERE '
            || condition || newest
          ELSE 'archive.search_entry e WHERE ' || condition || place || newest || 'OFFSET 0' END,
        n::text, checked) || in_order
        USING classes, hidden, left_to_find, below_date, below_document, edge_date;
      GET DIAGNOSTICS found = ROW_COUNT;
      left_to_find := left_to_find - found;
      EXIT WHEN edge_date IS NULL;
      below_date := edge_date;
      below_document := '00000000-0000-0000-0000-000000000000';
      span := 4 * span;
    END LOOP;
  END LOOP;
END $$
"""

FACETS = """
CREATE FUNCTION archive.search_facets(criteria jsonb, most int)
RETURNS TABLE (facet text, value text, label text, documents bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off
SET cpu_operator_cost = 0.1 AS $$
DECLARE
  levels jsonb := criteria->'levels';
  condition text;
BEGIN
  IF NOT archive.may_see_recalled() THEN criteria := criteria - 'recalled'; END IF;
  -- The last level holds what the ones before it do, but for numbers spelled otherwise.
  SELECT string_agg(format('(%s AND %s)', archive.search_condition(l, criteria),
    CASE WHEN l ? 'check' THEN archive.search_check(l) ELSE 'true' END), ' OR ')
    INTO condition FROM jsonb_array_elements(levels) WITH ORDINALITY AS x (l, n)
    WHERE l->>'on' IN ('symbol', 'prefix') OR n = jsonb_array_length(levels);
  RETURN QUERY EXECUTE format(
    'WITH matching AS MATERIALIZED (
      SELECT e.source, e.type_code, e.type_name, e.organ, e.organ_name, e.verdict, e.direction, e.kind, e.file_types,
        extract(year FROM e.issued_date)::int::text AS year
      FROM archive.search_entry e JOIN archive.document d ON d.id = e.document_id
      WHERE (%s) AND %s AND d.access = ANY ($1) AND e.document_id <> ALL ($2) LIMIT $3)
    SELECT ''total'', NULL, NULL, count(*) FROM matching
    UNION ALL SELECT ''source'', m.source::text, NULL, count(*) FROM matching m GROUP BY 2
    UNION ALL SELECT ''type'', m.type_code::text, max(m.type_name), count(*) FROM matching m GROUP BY 2
    UNION ALL SELECT ''organ'', m.organ::text, max(m.organ_name), count(*) FROM matching m GROUP BY 2
    UNION ALL SELECT ''year'', m.year, NULL, count(*) FROM matching m GROUP BY 2
    UNION ALL SELECT ''verdict'', m.verdict::text, NULL, count(*) FROM matching m GROUP BY 2
    UNION ALL SELECT ''direction'', m.direction::text, NULL, count(*) FROM matching m GROUP BY 2
    UNION ALL SELECT ''kind'', m.kind::text, NULL, count(*) FROM matching m GROUP BY 2
    UNION ALL SELECT ''file'', f, NULL, count(*) FROM matching m, unnest(m.file_types) AS f GROUP BY 2',
    condition, archive.search_check_all(criteria))
    USING archive.readable_classes(), archive.search_just_hidden(), least(most, 100000);
END $$
"""

TEXTS = """
CREATE FUNCTION archive.search_texts(documents uuid[], most int)
RETURNS TABLE (document_id uuid, place text, ordinal int, name text, text text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH readable AS (
    SELECT e.document_id, e.version FROM archive.search_entry e JOIN archive.document d ON d.id = e.document_id
    WHERE e.document_id = ANY (documents) AND d.access = ANY (archive.readable_classes())
      AND (NOT e.recalled OR archive.may_see_recalled())
      AND (e.document_id <> ALL (archive.search_just_hidden()) OR archive.may_see_recalled()))
  SELECT b.document_id, 'subject', 0, NULL, left(b.subject, most)
    FROM readable JOIN archive.search_body b USING (document_id) WHERE b.subject IS NOT NULL
  UNION ALL SELECT b.document_id, 'body', 0, NULL, left(b.body, most)
    FROM readable JOIN archive.search_body b USING (document_id) WHERE b.body IS NOT NULL
  UNION ALL SELECT a.document_id, 'file', a.ordinal, a.name, left(x.text, most)
    FROM readable JOIN archive.attachment a USING (document_id, version)
    JOIN archive.extracted_text x USING (sha256)
$$
"""

BEHIND = """
CREATE FUNCTION archive.search_behind() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce((SELECT max(seq) FROM archive.event), 0)
    - coalesce((SELECT ledger_seq FROM archive.search_state), 0)
$$
"""

FUNCTIONS = (
    *(MAY_SEE_RECALLED, JUST_HIDDEN, CONDITION, CHECK, CHECK_ALL, ESTIMATE, EXPECTED, ROWS_OF, FEW, SEARCH),
    *(FACETS, TEXTS, BEHIND),
)
"""In the order in which they are made."""
