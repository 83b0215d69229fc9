-- When the failure before the last one was: what a try that is not made is taken back to.
ALTER TABLE login_failures ADD COLUMN previous_at INTEGER;
