use super::*;

/// A folder of files that a test writes.
struct Written {
    dir: PathBuf,
    folder: Folder,
}

impl Written {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("claviger-folder-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a temporary folder");
        let folder = Folder::new(dir.clone());
        Self { dir, folder }
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.dir.join(name), text).expect("a file");
    }

    fn read(&mut self) -> (Vec<String>, Vec<String>) {
        let reading = self.folder.read().expect("the folder is there");
        let shown = |change: &Change| match change {
            Change::Created((sort, name), _) => format!("+{sort} {name}"),
            Change::Changed((sort, name), _, fields) => format!("~{sort} {name} {}", fields[0].path),
            Change::Deleted((sort, name)) => format!("-{sort} {name}"),
        };
        let dir = format!("{}/", self.dir.display());
        let faults = reading.faults.iter().map(|refused| refused.fault.to_string().replace(&dir, ""));
        (reading.changes.iter().map(shown).collect(), faults.collect())
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn secret(name: &str, value: &str) -> String {
    format!("apiVersion: v1\nkind: Secret\nmetadata:\n  name: {name}\nstringData:\n  a: {value}\n")
}

#[test]
fn a_file_that_breaks_keeps_its_objects_and_one_that_goes_does_not() {
    let mut written = Written::new("breaks");
    written.write("a.yaml", &secret("one", "x"));
    written.write("b.yaml", &secret("two", "x"));
    assert_eq!(written.read().0, ["+Secret default/one", "+Secret default/two"]);
    assert_eq!(written.read(), (vec![], vec![]));

    written.write("a.yaml", "kind: [\n");
    let (changes, faults) = written.read();
    assert_eq!(changes, Vec::<String>::new());
    assert!(faults.len() == 1 && faults[0].starts_with("a.yaml:"), "{faults:?}");

    std::fs::remove_file(written.dir.join("b.yaml")).expect("it is there");
    assert_eq!(written.read().0, ["-Secret default/two"]);
    written.write("a.yaml", &secret("one", "z"));
    let reading = written.folder.read().expect("the folder is there");
    assert_eq!((reading.changes.len(), reading.mended.len()), (1, 1));
}

#[test]
fn an_object_that_moves_out_of_a_broken_file_moves() {
    let mut written = Written::new("moves");
    written.write("a.yaml", &secret("one", "x"));
    written.read();
    written.write("a.yaml", "kind: [\n");
    written.write("b.yaml", &secret("one", "z"));
    assert_eq!(written.read().0, ["~Secret default/one stringData.a"]);
}

#[test]
fn an_object_that_is_refused_stays_as_it_was() {
    let mut written = Written::new("refused");
    written.write("a.yaml", &secret("one", "x"));
    written.read();
    written.write("a.yaml", &secret("one", "{hunter2: hunter2}"));
    let (changes, faults) = written.read();
    assert_eq!(changes, Vec::<String>::new());
    assert_eq!(faults, ["a.yaml:1: Secret default/one: the fields are not those of this kind"]);
    let key = (Sort::Secret, ObjectName::new("default", "one"));
    assert_eq!(written.folder.admitted()[&key].value["stringData"]["a"], "x");
}

#[test]
fn a_file_that_is_emptied_keeps_its_objects_and_one_without_objects_does_not() {
    let mut written = Written::new("emptied");
    written.write("a.yaml", &secret("one", "x"));
    written.read();
    written.write("a.yaml", "\n");
    let (changes, faults) = written.read();
    assert_eq!(changes, Vec::<String>::new());
    assert_eq!(faults, ["a.yaml: is empty now; to remove what it declared, delete the file"]);
    written.write("b.yaml", "");
    assert_eq!(written.read(), (vec![], vec![]), "it never held anything");
    written.write("a.yaml", "# moved elsewhere\n");
    assert_eq!(written.read().0, ["-Secret default/one"]);
}

#[test]
fn a_fault_is_told_again_when_its_file_is_saved_again_and_with_what_it_costs() {
    let mut written = Written::new("again");
    let told = |written: &mut Written| -> Vec<bool> {
        let reading = written.folder.read().expect("the folder is there");
        reading.faults.iter().map(|refused| refused.kept).collect()
    };
    written.write("a.yaml", &secret("one", "{x: x}"));
    assert_eq!(told(&mut written), [false], "nothing of it was ever served");
    assert_eq!(told(&mut written), [false; 0], "nobody touched it");
    written.write("a.yaml", &secret("one", "{x: y}"));
    assert_eq!(told(&mut written), [false], "another mistake with the same words");
    written.write("a.yaml", &secret("one", "x"));
    assert_eq!(told(&mut written), [false; 0]);
    written.write("a.yaml", &secret("one", "{x: x}"));
    assert_eq!(told(&mut written), [true], "the form before is served");
    written.write("a.yaml", "kind: [\n");
    assert_eq!(told(&mut written), [true], "the file's objects are served");
}

#[test]
fn of_two_objects_of_one_name_the_one_that_is_served_stays() {
    let mut written = Written::new("twice");
    written.write("b.yaml", &secret("one", "served"));
    written.read();
    written.write("a.yaml", &secret("one", "rival"));
    let (changes, faults) = written.read();
    assert_eq!(changes, Vec::<String>::new());
    let [fault] = &faults[..] else { panic!("{faults:?}") };
    assert!(
        fault.starts_with("a.yaml:1: Secret default/one: is declared twice") && fault.contains("b.yaml:1"),
        "{fault}"
    );
    std::fs::remove_file(written.dir.join("b.yaml")).expect("it is there");
    assert_eq!(written.read().0, ["~Secret default/one stringData.a"]);
}

#[test]
fn sub_folders_are_read_and_hidden_ones_are_not() {
    let mut written = Written::new("below");
    for below in ["team", ".git"] {
        std::fs::create_dir_all(written.dir.join(below)).expect("a folder");
        written.write(&format!("{below}/a.yml"), &secret(below.trim_start_matches('.'), "x"));
    }
    assert_eq!(written.read().0, ["+Secret default/team"]);
}

#[test]
fn a_folder_that_links_lead_to_again_is_read_once_under_its_own_name() {
    use std::os::unix::fs::symlink;
    let mut written = Written::new("links");
    std::fs::create_dir_all(written.dir.join("team/below")).expect("a folder");
    written.write("team/a.yaml", &secret("one", "x"));
    symlink(".", written.dir.join("loop")).expect("a link");
    symlink("../..", written.dir.join("team/below/up")).expect("a link");
    symlink("team", written.dir.join("another")).expect("a link");
    let (changes, faults) = written.read();
    assert_eq!((changes, faults), (vec!["+Secret default/one".to_owned()], vec![]));
    let admitted = written.folder.admitted().values().next().expect("one object");
    assert_eq!(admitted.place.file, written.dir.join("team/a.yaml"));
}

#[test]
fn a_mounted_config_map_is_read_through_its_links() {
    use std::os::unix::fs::symlink;
    let mut written = Written::new("mounted");
    for below in ["..2026_01_02", "..2026_01_02/team"] {
        std::fs::create_dir_all(written.dir.join(below)).expect("a folder");
    }
    written.write("..2026_01_02/a.yaml", &secret("one", "x"));
    written.write("..2026_01_02/team/b.yaml", &secret("two", "x"));
    symlink("..2026_01_02", written.dir.join("..data")).expect("a link");
    symlink("..data/a.yaml", written.dir.join("a.yaml")).expect("a link");
    symlink("..data/team", written.dir.join("team")).expect("a link");
    let both = ["+Secret default/one", "+Secret default/two"].map(str::to_owned).to_vec();
    assert_eq!(written.read(), (both, vec![]));
}
