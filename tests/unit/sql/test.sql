-- What tests/unit/test_db.c asks; its tables are in a schema with an awkward name.

-- row thing: id, word, good:bool, n:int
-- thing_get(id) -> maybe thing
select t.id, t.word, t.good, t.n from auth.thing t where t.id = :id;

-- thing_list() -> many thing
select t.id, t.word, t.good, t.n from auth.thing t order by t.id;

-- thing_any() -> maybe thing
select t.id, t.word, t.good, t.n from auth.thing t;

-- thing_count() -> one n:int
select count(*) as n from auth.thing;

-- thing_add(id, word) -> none
insert into auth.thing (id, word) values (:id, :word);

-- thing_hold(id) -> none
select t.id from auth.thing t where t.id = :id for update;

-- thing_put(id, word) -> one id
insert into auth.thing (id, word) values (:id, :word) returning id;

-- thing_swap(id, word) -> final maybe word
update auth.thing set word = :word where id = :id returning word;

-- thing_take(id) -> maybe word, good:bool
delete from auth.thing where id = :id returning word, good;

-- thing_late(id) -> none
insert into auth.late (id) values (:id);

-- thing_late_put(id) -> final one id
insert into auth.late (id) values (:id) returning id;

-- pid() -> one n:int
select pg_backend_pid() as n;

-- setting(name) -> one value
select current_setting(:name) as value;

-- quoted() -> one value
select 'auth.' as value;

-- nap(seconds) -> one n:int
select 1 as n from pg_sleep(:seconds::float8);

-- none_at_all() -> one n:int
select 1 as n where false;

-- all_forget() -> none
deallocate all;

-- long_word(word) -> one n:int
select length(:word) as n;

-- empty(a, b) -> one no_text, no_str:str, no_object:object, null_object:object, text:str, object:object
select null::text as no_text, null::text as no_str, null::jsonb as no_object, 'null'::jsonb as null_object, :a as text, :b::jsonb as object;
