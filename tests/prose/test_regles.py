"""Each rule sees its fault, and leaves alone the right French that looks wrong."""

import pytest

from culture_d.prose.blocks import Block, fragment_blocks
from culture_d.prose.rules import RULES, block_faults
from culture_d.prose.sentences import sentences, word_count

NB, FINE = "\u00a0", "\u202f"

BROKEN = [
    ("espaces", "Que valent-ils ?"),
    ("espaces", "Que valent-ils?"),
    ("espaces", "Trois choses: lire, compter, dire."),
    ("espaces", f"Il dit «{NB}oui »."),
    ("espaces", f"Il dit «oui{NB}»."),
    ("espaces", f"Il dit « oui{NB}»."),
    ("espaces", f"Il dit «{NB}oui»."),
    ("espaces", "La part est de 3 %."),
    ("espaces", f"La part est de 3{NB}%."),
    ("espaces", "La part est de 3%."),
    ("espaces", f"Deux{NB} espaces."),
    ("espaces", "Un mot , puis un autre."),
    ("milliers", "On y compte 34 875 communes."),
    ("milliers", f"On y compte 34{NB}875 communes."),
    ("milliers", "On y compte 34875 communes."),
    ("milliers", "Le seuil est de 3500 habitants."),
    ("milliers", "La loi vise 12000 habitants."),
    ("décimale", "La moyenne est de 3.5 enfants."),
    ("décimale", "Une hausse (3.5 fois) en un an."),
    ("décimale", "3.5 enfants par foyer."),
    ("apostrophe", "C'est la règle."),
    ("guillemets", 'Il dit "oui".'),
    ("capitale", "A retenir"),
    ("capitale", "Trois phrases. A la mairie, on compte."),
    ("capitale", f"A propos{NB}: le cours."),
    ("capitale", "L’aide de l’Etat."),
    ("capitale", "Economie et services."),
    ("capitale", "Ecole primaire."),
    ("capitale", "Ecrivez au préfet."),
    ("capitale", "Elues et élus."),
    ("capitale", "Ca suffit."),
    ("ligature", "Au coeur de la commune."),
    ("ligature", "Mise en oeuvre."),
    ("numéro", "La délibération no 3."),
    ("numéro", "La délibération No. 3."),
    ("numéro", "La délibération nº 3."),
    ("numéro", "La délibération n°3."),
    ("ordinal", "La 2ème fois."),
    ("ordinal", "La 1ère fois."),
    ("ordinal", "Le 1ier mars."),
    ("ordinal", "Le 1 janvier 2026."),
    ("date", "Au 01/01/2026."),
    ("date", "Le 3/3/26."),
    ("date", "Le 2026-01-01."),
    ("date", "Le 03 mars 2026."),
    ("date", "Le 3 Mars 2026."),
    ("heure", "À 18h30."),
    ("heure", "À 18:30."),
    ("heure", "Sous 72h."),
    ("point médian", "Les élu·es."),
    ("point médian", "Les élu(e)s."),
    ("point médian", "Les élu.e.s."),
    ("etc.", "Les routes, les écoles, etc…"),
    ("etc.", "Les routes, les écoles, etc..."),
    ("etc.", "Les routes, les écoles, etc"),
    ("points de suspension", "Et puis... plus rien."),
    ("répétition", "Le maire de de la commune."),
    ("répétition", "La la commune."),
    ("vous", "Prends ta décision."),
    ("vous", "Si tu votes demain."),
    ("vous", "Écris à ton maire."),
    ("vous", "Cela t’aidera."),
    ("marque", "Ouvrez le fichier dans Excel."),
    ("ton", "C’est évidemment faux."),
    ("phrase", " ".join(["mot"] * 23) + "."),
    ("paragraphe", "Voici une phrase entière. " * 6),
]

RIGHT = [
    "M. le maire et MM. les adjoints votent.",
    f"La part est de 3,5{FINE}%, puis de 12{FINE}%.",
    "Le pourcentage (en % des inscrits) est faible.",
    "L’article L. 2121-29 du code, et l’article R2151-2.",
    "La séance ouvre à 18 h 30.",
    "La séance ouvre à 18 h.",
    "Le délai est de 72 h.",
    f"La délibération n°{NB}3 du 1er janvier 2026.",
    "N° 3 : le budget.".replace(" :", f"{NB}:"),
    f"On y compte 34{FINE}875 communes et 1{FINE}234{FINE}567 habitants.",
    "En 2023 et en 1789, la règle changeait.",
    "La loi 2016-1321, le règlement (UE) 2016/679, la directive 2007/2/CE.",
    "Le conseil 20192116 de la Commission.",
    "Le code postal 51300 couvre 46 communes.",
    "Le code commune est 75056.",
    f"Le code «{NB}01001{NB}» est un texte.",
    "Les codes postaux 51300, 51301 et 51302.",
    "Voyez https://example.org/page?a=1&b=2.5 : tout y est.".replace(" :", f"{NB}:"),
    "Écrivez à mairie.exemple@commune.fr.",
    "Le fichier communes.csv est au format texte.",
    "La licence CC BY 4.0, la Licence Ouverte 2.0, la version 6.0.0, Python 3.11.",
    "Le schéma 2.1 des subventions.",
    "A voté le conseil. A-t-il raison ?".replace(" ?", f"{NB}?"),
    "Le vitamine A est un exemple. L’option A convient.",
    "Réponse A. La moyenne perd moins.",
    "Va-t-il voter ? Parle-t-on de lui ?".replace(" ?", f"{NB}?"),
    "Nous nous réunissons. Vous vous inscrivez. Il y en a, en en parlant.",
    "Le ton monte. Elle change de ton.",
    f"Pourquoi{NB}?! Vraiment (?) oui.",
    f"De moins de … habitants. Voici nos besoins{NB}: … rien.",
    "Les routes, les écoles, etc. Puis le budget.",
    "Les routes, les écoles, etc., puis le budget.",
    "L’État, l’Essonne, l’Est, l’Europe, Eure, Elbeuf, Espagne.",
    "Le 2e tour, la 1re fois, le XIXe siècle, le 11 novembre.",
    "Le mois de mai, le 3 mars 2026 et le 31 décembre.",
    "Un vote pour, 2/3 des voix, 24 h sur 24.",
    "Il a dit : « Nous votons. »".replace(" :", f"{NB}:")
    .replace("« ", f"«{NB}")
    .replace(" »", f"{NB}»"),
    "Le coefficient, la coexistence, la coopération, le poème.",
    "L’excellent travail du conseil.",
    "Le site d’Amazonie, la presse.",
    "Le code d’un arrondissement (75111) n’est pas son code postal (75011).",
    "La proposition COM(2025) 985 et le règlement (UE) 2016/679.",
    "1.1 · Chaque image a un texte.",
    "Les images (1.4, 1.5 et 2.1) et le critère 3.2 suivent.",
    "Libre réponse 71120, 75342 Paris.",
    "Fait le ........................................",
]


def faults(text: str, **context: object) -> set[str]:
    return {fault.rule for fault in block_faults(Block(text, **context))}  # type: ignore[arg-type]


@pytest.mark.parametrize(("rule", "text"), BROKEN)
def test_a_broken_sentence_is_seen(rule: str, text: str) -> None:
    assert rule in faults(text)


@pytest.mark.parametrize("text", RIGHT)
def test_a_right_sentence_is_left_alone(text: str) -> None:
    assert faults(text) == set()


def test_every_rule_has_a_broken_sentence() -> None:
    assert {rule.name for rule in RULES} <= {name for name, _ in BROKEN}


@pytest.mark.parametrize(
    "rule", RULES, ids=[f"{rule.name}-{place}" for place, rule in enumerate(RULES)]
)
def test_no_pattern_is_idle(rule: object) -> None:
    """Each pattern alone catches one of the broken sentences of its rule."""
    pattern, name = rule.pattern, rule.name  # type: ignore[attr-defined]
    assert any(pattern.search(text) for broken, text in BROKEN if broken == name)


def test_a_remark_says_the_words_and_what_to_write() -> None:
    [fault] = block_faults(Block("Le conseil municipal vote. A retenir pour jeudi soir."))
    assert "vote. A retenir pour" in fault.words
    assert fault.advice == "écrivez « À »"


def test_short_parts_have_shorter_sentences() -> None:
    words = (
        "Un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize."
    )
    assert faults(words) == set()
    assert faults(words, short=True) == {"phrase"}
    card = fragment_blocks(
        f'<section id="a-retenir"><h2>À retenir</h2><ol><li><p>{words}</p></li></ol></section>'
    )
    assert [fault.rule for block in card for fault in block_faults(block)] == ["phrase"]


def test_labels_and_short_answers_do_not_fill_a_paragraph() -> None:
    text = f"La réponse. Petite{NB}? " + "Voici une phrase entière. " * 5
    assert faults(text) == set()
    assert faults(text + "Voici une autre phrase.") == {"paragraphe"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("M. Dupont vient. Il vote.", ["M. Dupont vient.", "Il vote."]),
        ("L’article L. 2121-29 suffit. Lisez-le.", ["L’article L. 2121-29 suffit.", "Lisez-le."]),
        (
            "C’est 3,5 fois plus. 84 communes sur 100.",
            ["C’est 3,5 fois plus.", "84 communes sur 100."],
        ),
        ("Des routes, etc. et des ponts.", ["Des routes, etc. et des ponts."]),
        ("Des routes, etc. Puis des ponts.", ["Des routes, etc.", "Puis des ponts."]),
        (f"Il dit{NB}: «{NB}Non.{NB}» Elle rit.", [f"Il dit{NB}: «{NB}Non.{NB}»", "Elle rit."]),
        (f"«{NB}Non{NB}?{NB}» dit-elle.", [f"«{NB}Non{NB}?{NB}» dit-elle."]),
        ("De moins de … habitants.", ["De moins de … habitants."]),
        ("Il hésite… Puis il vote.", ["Il hésite…", "Puis il vote."]),
        ("Source : Insee · année 2023 · à jour", ["Source : Insee", "année 2023", "à jour"]),
        ("", []),
    ],
)
def test_sentences_are_cut_as_a_reader_does(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (f"L’élue lit 34{FINE}875 lignes.", 4),
        (f"Est-ce vrai{NB}?", 2),
        (f"Trois{NB}: «{NB}un{NB}», 3,5{FINE}%.", 3),
        (f"1{FINE}960{NB}habitants", 2),
    ],
)
def test_words_are_counted_as_word_processors_do(text: str, count: int) -> None:
    assert word_count(text) == count


def test_code_addresses_and_other_languages_are_not_prose() -> None:
    html = (
        '<p>Écrivez <code>"a" : 3.5 ...</code>, puis <span lang=\'en\'>don\'t "stop"</span>.</p>'
        "<pre>x = 'y' : 3.5</pre><script>var a = 'b';</script>"
    )
    assert [fault for block in fragment_blocks(html) for fault in block_faults(block)] == []


def test_what_a_cell_prints_is_read() -> None:
    html = "<div class='cell_output'><pre>L'indice vaut 3.5</pre></div>"
    rules = [fault.rule for block in fragment_blocks(html) for fault in block_faults(block)]
    assert sorted(rules) == ["apostrophe", "décimale"]


def test_attributes_that_are_read_aloud_are_read() -> None:
    html = '<p><img src="a.png" alt="Trois barres: la plus haute est rouge."></p>'
    assert [fault.rule for block in fragment_blocks(html) for fault in block_faults(block)] == [
        "espaces"
    ]


def test_codes_and_versions_in_a_table_are_not_counts() -> None:
    table = (
        "<table><thead><tr><th>Commune</th><th>{}</th></tr></thead>"
        "<tbody><tr><th>Paris</th><td>{}</td></tr></tbody></table>"
    )

    def found(column: str, value: str) -> list[str]:
        blocks = fragment_blocks(table.format(column, value))
        return [fault.rule for block in blocks for fault in block_faults(block)]

    assert found("Code", "75056") == []
    assert found("Habitants", "75056") == ["milliers"]
    assert found("Versions", "numpy 2.4") == []
    assert found("Taux", "2.4") == ["décimale"]


def test_a_line_of_sources_is_not_a_sentence() -> None:
    words = (
        "un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize"
    )
    html = f'<p class="cd-source">Source : Insee, {words} {words}.</p>'.replace(" :", f"{NB}:")
    [block] = fragment_blocks(html)
    assert faults(block.text) >= {"phrase"}
    assert [fault.rule for fault in block_faults(block)] == []


def test_what_a_style_sets_apart_is_not_joined() -> None:
    [block] = fragment_blocks("<p><a>Une loi</a><span>Code de commerce</span></p>")
    assert sentences(block.text) == ["Une loi", "Code de commerce"]
