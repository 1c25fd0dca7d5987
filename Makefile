# Les commandes du cours. « make » seul affiche l'aide.
PYTHON ?= python3
PORT ?= 8000
DOSSIER ?= $(HOME)/culture-d
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help serve test lab usb pdf kit bench soak clean lock format env notebooks
.SILENT:

help: ## Afficher cette aide
	echo "Culture D : les commandes"
	grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F '\t' '{ printf "  make %-10s %s\n", $$1, $$2 }'
	echo "Options : PORT=8001 (make serve), DOSSIER=~/mon-dossier (make lab), PYTHON=python3.12"

env: ## Préparer l'environnement .venv (les autres commandes le font)
	command -v $(PYTHON) >/dev/null || { echo "Erreur : Python est introuvable. Installez Python 3.11 ou plus récent, ou nommez le vôtre : make serve PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) deploy/prepare_environment.py

serve: env ## Construire le cours et le servir sur cette machine
	$(BIN)/culture-d servir --port $(PORT)

lab: env ## Ouvrir JupyterLab sur une copie des carnets
	$(BIN)/culture-d lab "$(DOSSIER)"

usb: env ## Écrire le cours dans un fichier ZIP, pour une clé USB
	$(BIN)/culture-d cle

pdf: env ## Écrire le livret du cours et les fiches, en PDF à imprimer
	$(BIN)/culture-d livret

kit: env ## Écrire le dossier de formation : séances, diaporamas, fiches, cartes (un ZIP)
	$(BIN)/culture-d kit

notebooks: env ## Exécuter les carnets et enregistrer leurs résultats
	$(BIN)/culture-d executer

test: env ## Passer tous les tests
	echo "1/5 Chromium et bubblewrap"
	$(BIN)/python -m culture_d.chromium
	$(BIN)/python -m culture_d.bubblewrap
	echo "2/5 Style et types du code"
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/python -m mypy
	echo "3/5 Construction du site"
	$(BIN)/culture-d construire
	echo "4/5 Carnets : chaque résultat enregistré est recalculé"
	$(BIN)/culture-d verifier
	echo "5/5 Tests"
	$(BIN)/python -m pytest -q -n auto --dist loadgroup tests

bench: env ## Mesurer vitesse et poids
	$(BIN)/python -m culture_d.chromium >/dev/null
	$(BIN)/python -m tests.bench

soak: env ## Mettre la correction à l'épreuve : cinquante arrêts, mille devoirs
	$(BIN)/python -m culture_d.bubblewrap >/dev/null
	$(BIN)/python -m pytest -q -n auto --dist loadgroup -m long tests
	$(BIN)/python -m tests.soak

format: env ## Mettre le code en forme
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: env ## Résoudre à nouveau les versions (requirements.lock, environment.yml)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --extra tests --custom-compile-command "make lock" pyproject.toml --output-file requirements.lock
	$(BIN)/python -m culture_d.conda

clean: ## Supprimer ce qui se refait
	rm -rf _build .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis exercises/release exercises/submitted exercises/autograded exercises/feedback
	echo "Supprimé : le site, les caches, les exercices préparés. L'environnement .venv reste."
