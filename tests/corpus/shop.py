"""The tables that most cases begin with: a shop that has been open for a while."""

SHOP = """
CREATE TABLE users (id serial CONSTRAINT users_key PRIMARY KEY, email varchar(120) NOT NULL, name varchar(50),
  country char(2), age int, settings json, active boolean NOT NULL DEFAULT true, created_at timestamptz DEFAULT now());
CREATE TABLE products (id bigint CONSTRAINT products_key PRIMARY KEY, sku text, price numeric(10, 2), title text);
CREATE TABLE orders (id bigserial CONSTRAINT orders_key PRIMARY KEY, user_id int NOT NULL, product_id bigint,
  status text NOT NULL DEFAULT 'new', total numeric(10, 2), note text, placed timestamp, updated_at timestamptz);
CREATE INDEX orders_by_user ON orders (user_id);
CREATE INDEX orders_by_status ON orders (status);
INSERT INTO users (email, name, country, age)
  SELECT 'u' || g || '@example.org', 'User ' || g, 'DE', g % 80 FROM generate_series(1, 500) g;
INSERT INTO products SELECT g, 'sku-' || g, g % 90, 'Product ' || g FROM generate_series(1, 200) g;
INSERT INTO orders (user_id, product_id, status, total, placed)
  SELECT g % 500 + 1, g % 200 + 1, 'new', g % 1000, now() FROM generate_series(1, 2000) g;
"""
