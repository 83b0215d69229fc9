-- What it is: 0 a flow, 1 a code. The release before wrote both and counted them as one.
ALTER TABLE kept ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;
