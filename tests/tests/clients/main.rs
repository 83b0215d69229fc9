//! Clients that others wrote, in five languages and as a reverse proxy, each with the settings that
//! its manual begins with, against `claviger dev --tls`. See ../../README.md.

mod a_service_acts_in_its_own_name;
mod a_web_application_logs_a_person_in_and_out;
mod an_application_without_a_secret_logs_a_person_in;
mod apache_logs_people_in_for_what_is_behind_it;
mod login;
mod tenant;
